"""Warnings that travel with the data: simulated pixels and random weights, wherever they are shown."""

from __future__ import annotations

import streamlit as st


def simulated(is_simulated: bool) -> None:
    """Says that no satellite has seen what is shown."""
    if is_simulated:
        st.markdown(
            ":orange-badge[:material/science: SIMULATED] :gray[No satellite has seen these scenes; no such fires burned.]"
        )


def random_weights(is_random: bool) -> None:
    """Says that nothing was learned by what made these embeddings."""
    if is_random:
        st.warning(
            "**Random weights.** This backbone was never trained: its embeddings show what the architecture alone does.",
            icon=":material/casino:",
        )
