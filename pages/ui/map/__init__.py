"""The one map of all pages: its layers, their tiles, and the libraries it is drawn with."""
