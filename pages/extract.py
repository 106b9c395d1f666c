"""extract."""

from pages.ui import style

style.heading("extract", "")
