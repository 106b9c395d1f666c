"""Labels that a person gives by clicking patches or drawing polygons, kept as GeoJSON beside the store."""
