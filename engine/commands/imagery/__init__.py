"""Commands about imagery, before it is embedded: sensors, catalogues, known fires, cut scenes, the season."""
