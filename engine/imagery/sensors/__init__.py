"""Sensors: their bands, scales and gap values, and how the sensor of a raster is told from what the raster says."""
