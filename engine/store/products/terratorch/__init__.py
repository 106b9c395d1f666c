"""Folders of embeddings as TerraTorch leaves them, and where their chips lie."""
