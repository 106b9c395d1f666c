"""Embeddings that another program left as one raster a chip, joined to their labels and taken into a store."""
