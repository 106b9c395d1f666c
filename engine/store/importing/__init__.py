"""Embeddings that others made, taken into a store, or opened where they lie."""
