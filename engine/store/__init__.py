"""The embedding store: GeoParquet parts with one row a patch, written whole, read without decoding, and checked."""
