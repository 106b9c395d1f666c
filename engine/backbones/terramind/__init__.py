"""TerraMind v1 (IBM and ESA) with its tokenizers."""
