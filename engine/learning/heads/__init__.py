"""The heads that read frozen embeddings: one file a head, and a table of them."""
