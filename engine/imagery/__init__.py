"""What we look at: regions, the tile grid, sensors, scenes and the places they come from."""
