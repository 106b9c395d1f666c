"""Rasters on other computers: which addresses may be asked, requests, accounts, the cache, and GDAL's view of it all."""
