"""The colours that charts, maps and legends share, for the light and the dark theme."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

# Lines on a map: what a person drew, and the outlines of scenes.
EMBER, ASH = "#d9541e", "#8d857b"
# The three components of a PCA map, as charts and legends draw them.
RED, GREEN, BLUE = "#d0422a", "#4f9a4a", "#3f74c9"
TRAIN: Mapping[str, str] = {"light": "#2f6f8f", "dark": "#6fb3d2"}
VALIDATION: Mapping[str, str] = {"light": "#b8431a", "dark": "#f0834f"}
REST: Mapping[str, str] = {"light": ASH, "dark": "#a69d92"}
# From none to all of a true class, in the confusion matrix.
SHADES: Mapping[str, tuple[str, str]] = {"light": ("#f6f1ea", "#d9783f"), "dark": ("#2a2622", "#a8471f")}
# Lines of several runs, told apart also by who sees few colours (Okabe and Ito 2008, darker on white).
LINES: Mapping[str, tuple[str, ...]] = {
    "light": ("#b8431a", "#0072b2", "#007a5a", "#a8519a", "#8a6d00", "#2b2b2b", "#3f8fc4", "#c47a00"),
    "dark": ("#f0834f", "#6fb3d2", "#3fc39b", "#d99acb", "#e8d44d", "#ece7e0", "#9ccbea", "#f5b54a"),
}

# A job's state, beside its word.
STATES: Mapping[str, str] = {
    "queued": "#a8852b", "running": "#2f7fa8", "finished": "#5c8a3a", "failed": "#c2331a", "cancelled": ASH,
    "interrupted": "#a8852b", "cancelling": "#a8852b",
}  # fmt: skip


def theme() -> str:
    """ "light" or "dark", as the browser shows the app."""
    return "dark" if getattr(st.context.theme, "type", None) == "dark" else "light"
