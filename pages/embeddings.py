"""embeddings."""

from pages.ui import style

style.heading("embeddings", "")
