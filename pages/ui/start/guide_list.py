"""The steps of the guided path on the first page, each with its sentence, the next one highlighted."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages.ui.look import errors, glossary
from pages.ui.start import guide

_SIGNS = {"done": ":green[:material/check_circle:]", "next": ":primary[:material/play_circle:]", "later": ":gray[:material/circle:]"}  # fmt: skip


def show() -> None:
    """The steps in order; those that can be opened have a button, and only the next one's is highlighted."""
    following = guide.reached()
    for number, step in enumerate(guide.STEPS, start=1):
        state = "done" if number < following else "next" if number == following else "later"
        with st.container(border=state == "next", key=f"step_{number}_{state}", horizontal=True, vertical_alignment="center"):  # fmt: skip
            with st.container(gap=None, width="stretch"):
                st.markdown(f"{_SIGNS[state]} **{number}. {step.title}**")
                st.html(f'<p class="es-step-why">{glossary.explained(step.why)}</p>')
            kind: Literal["primary", "tertiary"] = "primary" if state == "next" else "tertiary"
            words = "Open" if state != "next" else "Begin" if number == 1 else "Go on"
            if st.button(
                words, type=kind, key=f"do_step_{number}", width=120, disabled=state == "later" and number > 1,
                help="The steps before it come first." if state == "later" else None,
            ):  # fmt: skip
                with errors.in_words():
                    guide.enter(number)
