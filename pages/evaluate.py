"""evaluate."""

from pages.ui import style

style.heading("evaluate", "")
