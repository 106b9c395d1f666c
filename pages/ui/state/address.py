"""What the address carries, so that a refresh or a link shows the same.

The names that pages use, all in one address:

    page        its path
    workspace   whose runs and places (pages/ui/workspace.py)
    place       the scenes looked at;  region  the part of them
    job         the run that a page shows;  runs  several that are compared
    ground      what Apply is to map;  map, threshold, smallest  which of its maps, cut and cleared how
    backbone, bands, below, layer, show, kind        what is chosen on a page, by `restore` and `keep` around its widget
    plot, test_place                    what is looked at on Evaluate (pages/ui/evaluate/places.py)
    ask         what a leaderboard compares;  beside  the store whose map stands beside the labelled one
    state, find, sort                   which runs are listed, and how (pages/ui/runs/listing.py)
    view, layers, scene, base           what the map itself writes (assets/map/address.js): Python leaves them alone
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from pages.ui.look import wording

Option = TypeVar("Option")


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


def restore(
    name: str,
    widget: str,
    options: Sequence[Option],
    usual: Option | None,
    words: Callable[[Option], str] = str,
) -> None:
    """Before a widget is drawn: choose what the address names, else what was chosen before, else the usual.

    Where the address names none of the options, the page says so. Draw the widget without a default of its own, and
    call `keep` after it.

    Args:
        name: in the address.
        widget: key of the widget, which holds one of the options.
        words: an option as the address writes it, different for each.
    """
    asked = read(name)
    if asked is not None and asked != st.session_state.get(_held(name)):
        found = [option for option in options if words(option) == asked]
        if found:
            st.session_state[widget] = found[0]
        elif options:
            st.session_state[_absent(name)] = (asked, None)
    held = st.session_state.get(widget, st.session_state.get(_kept(widget)))
    if options:
        st.session_state[widget] = next(one for one in (held, usual, options[0]) if one in options)
    absent = st.session_state.get(_absent(name))
    if absent:
        st.info(
            f"The link asks for {name} “{wording.plain(absent[0])}”, which is not here. Something else is shown.",
            icon=":material/link_off:",
        )


def keep(name: str, widget: str, words: Callable[[Option], str] = str) -> None:
    """After a widget is drawn: the address follows it, and so does the session when a person comes back to the page."""
    value = st.session_state.get(widget)
    said = None if value is None else words(value)
    absent = st.session_state.get(_absent(name))
    if absent:  # told until the person chooses for themselves
        st.session_state[_absent(name)] = (absent[0], said) if absent[1] in (None, said) else None
    st.session_state[_kept(widget)] = value
    st.session_state[_held(name)] = said
    write(name, said)


def _held(name: str) -> str:
    """What the address was given last: another value in it comes from a person."""
    return f"address {name}"


def _absent(name: str) -> str:
    """What the address asked for in vain, and what was shown instead."""
    return f"address {name} absent"


def _kept(widget: str) -> str:
    """A widget's own value goes with its page; this one stays."""
    return f"kept {widget}"
