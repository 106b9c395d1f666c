"""What the address carries, so that a refresh or a link shows the same."""

from __future__ import annotations

import streamlit as st


def read(key: str) -> str | None:
    """A value of the address; None where it has none."""
    return st.query_params.get(key)


def write(key: str, value: str | None) -> None:
    """Put a value into the address; None takes it out."""
    if value is None:
        if key in st.query_params:
            del st.query_params[key]
    elif st.query_params.get(key) != value:
        st.query_params[key] = value
