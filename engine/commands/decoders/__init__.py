"""Commands about decoders: taught by a few labels, judged, and used for maps."""
