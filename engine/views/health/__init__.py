"""The health card: numbers that say whether embeddings tell of the ground, and what they mean."""
