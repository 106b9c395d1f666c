"""How a TerraTorch file was read, key by key, as a table."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.terratorch.keys import KeyRead
from pages.ui.look import wording

# A file of TerraTorch's has some fifty lines.
LARGEST_MB = 1
_ICONS = {"read as": "✓ read as", "ignored": "– ignored", "not honoured": "! not honoured"}


def show(lines: Sequence[KeyRead], warnings: Sequence[str]) -> None:
    """What a person should know first, then a row a key."""
    for warning in warnings:
        st.warning(wording.plain(warning), icon=":material/balance:")
    rows = [
        {
            "Key": line.key.rpartition(".")[2],
            "How": _ICONS[line.verdict],
            "What it means": line.words,
            "Found": line.found,
            "Where it stands": line.key,
        }
        for line in lines
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height=260)
