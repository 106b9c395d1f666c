"""The embedding store: GeoParquet parts with one row a patch, written atomically, read without decoding, and checked."""
