"""Rules without learning that a decoder is compared with, on the same pixels and the same tiles."""
