"""runs."""

from pages.ui import style

style.heading("runs", "")
