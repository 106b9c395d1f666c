"""GeoParquet tables of embeddings, one a footprint: their vectors, their rows and the tiles that these become."""
