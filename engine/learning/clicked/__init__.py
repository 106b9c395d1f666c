"""A classifier taught by a few labels: fitted in milliseconds, drawn as a lens, judged, kept as a decoder."""
