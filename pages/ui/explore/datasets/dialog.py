"""The dialog in which a labelled data set is made from perimeters, or fetched as it was published."""

from __future__ import annotations

import streamlit as st

from pages.ui.explore.datasets import known_fires, perimeters_form, published_set
from pages.ui.look import errors

_OPEN = "datasets_open"
_WAYS = {
    "perimeters": "From fire perimeters",
    "published": "HLS Burn Scars",
    "fires": "Known fires",
}


def offer() -> None:
    """The button that opens the dialog, and the dialog while it is open."""
    if st.button("Make a data set", icon=":material/dataset:", key="open_datasets"):
        st.session_state[_OPEN] = True
    if st.session_state.get(_OPEN):
        _ask()


def close() -> None:
    """Leave the dialog: it is not drawn again until its button is pressed."""
    st.session_state[_OPEN] = False


@st.dialog("Data sets with labels", width="large", on_dismiss=close)
def _ask() -> None:
    way = st.segmented_control(
        "What", list(_WAYS), default="perimeters", required=True, key="datasets_way", format_func=_WAYS.__getitem__,
        label_visibility="collapsed",
    )  # fmt: skip
    with errors.in_words(stop=False):
        match way:
            case "published":
                is_left = published_set.show()
            case "fires":
                is_left = known_fires.show()
            case _:
                is_left = perimeters_form.show()
        if is_left:
            close()
            st.rerun()
