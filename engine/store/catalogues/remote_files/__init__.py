"""Files of embeddings on other computers: what of each a region needs, and reading it."""
