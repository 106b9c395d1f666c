"""Figures that others have published, apart from the rows of this machine."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.learning.leaderboard.report import published
from pages.ui.look import style


def show(summary: dict[str, Any] | None) -> None:
    """Their table with its source; nothing for tasks of which there are none."""
    if summary is not None and summary["task"] != "burn_scars":
        return
    with st.expander("Published by others", icon=":material/menu_book:"):
        st.caption(published.SETTING)
        lines = [(one.model, (f"{one.frozen:.3f}", f"{one.fine_tuned:.3f}")) for one in published.FIGURES]
        style.table(("Model", "Frozen", "Fine-tuned"), lines)
        style.small(f"Source: {published.SOURCE}")
