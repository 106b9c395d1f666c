"""Cubes of dates in netCDF files, and how GDAL is given them."""
