"""Rasters and polygons made of a store: mosaics, overlays, exports."""
