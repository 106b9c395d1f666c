"""backbones."""

from pages.ui import style

style.heading("backbones", "")
