"""Embeddings that others made, chosen, looked at and opened."""
