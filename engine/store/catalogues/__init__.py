"""Catalogues of published embeddings: what they hold of a region and a year, and just that fetched into a store."""
