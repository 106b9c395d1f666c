"""Embeddings that others made and publish, understood and taken into a store."""
