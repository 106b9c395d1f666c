"""The parts of the Extract page."""
