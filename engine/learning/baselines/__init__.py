"""Rules on raw pixels that a decoder is compared with, on the same pixels and the same tiles."""
