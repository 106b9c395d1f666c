"""Which class a click gives, and what the map shows: kept in the address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import streamlit as st

from engine.labels.clicked.geojson import change_labels
from engine.labels.clicked.label_set import COLOURS, LONGEST_NAME, LabelSet
from engine.learning.clicked.classifier import METHODS, NEIGHBOURS, Method
from pages.ui.look import errors, style, wording
from pages.ui.state import address

Show = Literal["Class", "Probability", "Where unsure"]
_METHOD_WORDS: dict[Method, str] = {"logistic": "Logistic regression", "knn": "k nearest neighbours"}
_SHOWS: tuple[Show, ...] = ("Class", "Probability", "Where unsure")


@dataclass(frozen=True)
class Shown:
    """What the map shows.

    Attributes:
        of: the class whose probability is meant; empty unless that is shown.
    """

    show: Show
    of: str = ""


def class_of_clicks(labels: LabelSet) -> str:
    """The class that was chosen when the map was clicked, before it is asked for anew."""
    names = [one.name for one in labels.classes]
    address.restore("class", "label_class", names, names[-1])
    added = st.session_state.pop("label_added", None)
    if added in names:
        st.session_state["label_class"] = added
    return str(st.session_state["label_class"])


def choose_class(labels: LabelSet) -> None:
    """Ask for the class that the next click gives, after `class_of_clicks`."""
    names = [one.name for one in labels.classes]
    counts = labels.counts
    style.radio_colours("label_class", [one.colour for one in labels.classes])
    st.radio(
        "A click gives", names, key="label_class", horizontal=True,
        format_func=lambda name: f"{wording.plain(name)} ({counts[name]})",
    )  # fmt: skip
    address.keep("class", "label_class")


def change_classes(path: Path, labels: LabelSet) -> None:
    """Add a class, or remove one with its labels."""
    with st.popover("Classes", icon=":material/palette:"):
        free = next(
            (one for one in COLOURS if one not in {kind.colour for kind in labels.classes}), COLOURS[0]
        )
        if st.session_state.pop("label_empty_field", False):
            st.session_state["label_new_class"] = ""
        name = st.text_input("New class", key="label_new_class", max_chars=LONGEST_NAME, placeholder="water")
        colour = st.color_picker("Its colour", free, key=f"label_new_colour_{len(labels.classes)}")
        if st.button("Add", key="label_add_class", disabled=not name.strip()):
            with errors.in_words():
                change_labels(path, lambda found: found.with_class(name, colour))
                st.session_state["label_added"] = " ".join(name.split())
                st.session_state["label_empty_field"] = True
                st.rerun()
        if len(labels.classes) > 2:
            names = [one.name for one in labels.classes]
            gone = st.selectbox("Remove", names, index=None, key="label_gone")
            if gone and st.button(
                f"Remove it and its {wording.count(labels.counts[gone], 'label')}", key="label_remove_class"
            ):
                change_labels(path, lambda found: found.without_class(gone))
                st.rerun()


def choose_method() -> Method:
    """How the map is learnt from the labels."""
    address.restore("method", "label_method", METHODS, METHODS[0])
    chosen = st.segmented_control(
        "Learnt by", METHODS, key="label_method", required=True, format_func=_METHOD_WORDS.__getitem__,
        help="Logistic regression draws straight borders between the classes; k nearest neighbours gives a patch the class "
        f"that most of the {NEIGHBOURS} labelled patches nearest to it have.",
    )  # fmt: skip
    address.keep("method", "label_method")
    return cast(Method, chosen or METHODS[0])


def choose_shown(present: list[str]) -> Shown:
    """What is drawn of a classifier.

    Args:
        present: classes that have labels, two or more.
    """
    address.restore("show", "label_show", _SHOWS, "Class")
    show = cast(
        Show, st.segmented_control("The map shows", _SHOWS, key="label_show", required=True) or "Class"
    )
    address.keep("show", "label_show")
    if show != "Probability":
        return Shown(show)
    address.restore("of", "label_of", present, present[-1])
    of = st.selectbox("Probability of", present, key="label_of")
    address.keep("of", "label_of")
    return Shown(show, str(of))
