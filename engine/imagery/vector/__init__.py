"""Polygons that people bring: GeoJSON, KML, GeoPackage, FlatGeobuf, GeoParquet and shapefiles, told by their content."""
