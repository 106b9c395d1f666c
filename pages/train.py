"""train."""

from pages.ui import style

style.heading("train", "")
