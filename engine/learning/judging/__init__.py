"""How good a decoder is on its test places: intervals, places, curves, and where it fails."""
