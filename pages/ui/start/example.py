"""A finished example: a scar as the satellite sees it, its embeddings, and its map; made by assets/make_example.py."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).resolve().parents[3] / "assets" / "example"
_PICTURES = (
    ("scene", "A fire scar in false colour (simulated)"),
    ("embeddings", "Its embeddings as colours (rcf)"),
    ("map", "What the decoder calls burnt"),
)


def show() -> None:
    """The three pictures side by side."""
    with st.container(key="example"):
        for column, (name, words) in zip(st.columns(len(_PICTURES), gap="small"), _PICTURES, strict=True):
            column.image(str(_FOLDER / f"{name}.png"), caption=words, width="stretch", alt=words)
