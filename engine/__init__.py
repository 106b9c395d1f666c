"""Emberscope's engine: imagery goes through a backbone and becomes embeddings; a decoder learns from them."""
