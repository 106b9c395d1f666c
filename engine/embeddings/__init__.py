"""What was seen: the store, its labels, extraction, and pictures of embeddings."""
