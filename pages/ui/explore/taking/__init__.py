"""What is taken away from the imagery that is looked at: one scene as a GeoTIFF, and a film of the dates of a series."""
