"""A store of embeddings for other programs: one table of forms, each written at once or not at all."""
