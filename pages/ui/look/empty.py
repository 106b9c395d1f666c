"""What a page says when there is nothing to show yet, and the button that leads on."""

from __future__ import annotations

import streamlit as st


def empty(title: str, words: str, button: str, page: str, key: str) -> None:
    """An empty state with one way out; ends the page.

    Args:
        page: script of the page that the button opens, as `pages/extract.py`.
    """
    with st.container(border=True, key=f"empty_{key}"):
        st.subheader(title, anchor=False)
        st.write(words)
        if st.button(button, type="primary", key=f"go_{key}", icon=":material/arrow_forward:"):
            st.switch_page(page, query_params={})
    st.stop()
