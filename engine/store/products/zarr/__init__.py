"""Zarr groups of embeddings: what lies on their grid, at which dates, and what their attributes state."""
