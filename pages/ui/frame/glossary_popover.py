"""The short glossary, reachable from every page by the bar on top."""

from __future__ import annotations

import html

import streamlit as st

from pages.ui.look import glossary


def show() -> None:
    """A button in the bar on top that opens the list of words."""
    with st.container(key="glossary"), st.popover("Words", key="glossary_words", type="tertiary"):
        for title, words in glossary.GROUPS.items():
            rows = "".join(
                f"<div><dt>{html.escape(word)}</dt><dd>{html.escape(meaning)}</dd></div>"
                for word, meaning in words.items()
            )
            st.html(f'<p class="es-words-of">{title}</p><dl class="es-words">{rows}</dl>')
