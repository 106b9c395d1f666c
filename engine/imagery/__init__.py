"""Imagery: sensors, scenes and their bands, grids, tiles and the reading of pixels."""
