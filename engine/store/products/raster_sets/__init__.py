"""Several rasters of embeddings as one store: groups of a Zarr store, a folder of tiles, windows of a dataset."""
