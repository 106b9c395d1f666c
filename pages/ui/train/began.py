"""What a field of the form begins with, where neither a person nor a fork has put something there."""

from __future__ import annotations

from typing import Any

import streamlit as st


def begin(key: str, value: Any) -> None:
    """Give a field its value before it is drawn: a field with a default of its own besides would be told twice."""
    if key not in st.session_state:
        st.session_state[key] = value
