"""Files that people bring along from TerraTorch, read key by key into configurations of our own."""
