"""A film on a page: it plays, and can be fetched."""

from __future__ import annotations

import base64
import html

import streamlit as st

from pages.ui.look import wording

# A larger one is only fetched: the page would carry it with every drawing.
_MOST_SHOWN_BYTES = 12_000_000


def show(content: bytes, name: str, words: str, key: str) -> None:
    """Play a film (animated WebP) and offer it as a file.

    Args:
        words: what it shows, for those who do not see it.
    """
    if len(content) <= _MOST_SHOWN_BYTES:
        source = base64.b64encode(content).decode()
        st.html(
            f'<img src="data:image/webp;base64,{source}" alt="{html.escape(words)}" style="width:100%;border-radius:6px">'
        )
    st.download_button(
        f"Download the film ({wording.megabytes(len(content) / 1e6)})", content, file_name=name, mime="image/webp", key=key,
        icon=":material/download:", width="stretch",
    )  # fmt: skip
