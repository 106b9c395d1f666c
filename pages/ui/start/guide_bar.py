"""The guided path on every page: where one is, one sentence of why, and one button that goes on."""

from __future__ import annotations

import html

import streamlit as st

from engine.jobs import spare
from pages.ui.jobs import jobs_panel, progress_words
from pages.ui.look import errors, glossary, style
from pages.ui.start import guide
from pages.ui.state import cached, session

_REFRESH_S = 1.0


def show() -> None:
    """The bar, for whoever follows the path; it asks again while the step's job is under way."""
    number = guide.current()
    guide.keep_in_address()
    if number is None:
        return
    found = guide.job_of(number)
    with st.container(key="guide_bar"):
        if _is_active(found):
            st.fragment(_watch, run_every=_REFRESH_S)(number)
        else:
            _draw(number, found)


def _watch(number: int) -> None:
    """The bar while the step's job is under way; nothing in it leads to another page.

    A page that a fragment switches to while another fragment asks again may lose an element on its way to the browser,
    which then shows nothing new any more ("Bad delta path").
    """
    found = guide.job_of(number)
    _draw(number, found, is_watched=True)  # before the rerun too: else the bar is empty until it is drawn
    if not _is_active(found):
        st.rerun()  # the page has results to show now


def _draw(number: int, found: cached.JobFacts | None, *, is_watched: bool = False) -> None:
    step = guide.STEPS[number - 1]
    with st.container(horizontal=True, vertical_alignment="center", key="guide_row"):
        dots = "".join(f'<i class="{_state(at, number)}"></i>' for at in range(1, len(guide.STEPS) + 1))
        st.html(
            f'<div class="es-guide" role="status"><p><span class="es-dots" aria-hidden="true">{dots}</span><b>{number} of '
            f"{len(guide.STEPS)} · {html.escape(step.title)}</b></p><small>{glossary.explained(step.why)}</small></div>",
            width="stretch",
        )
        with errors.in_words(stop=False):
            if is_watched:
                _working(found)
            else:
                _button(number, step, found)
        if st.button(
            "Leave",
            key="guide_leave",
            type="tertiary",
            help="Ends the guided path; all that was made is kept.",
        ):
            guide.leave()
            st.rerun()
    with st.container(key="guide_focus"):
        style.keep_keyboard_on_guide(f"{number} {_is_active(found)}")


def _is_active(found: cached.JobFacts | None) -> bool:
    return found is not None and found.state in jobs_panel.ACTIVE


def _button(number: int, step: guide.Step, found: cached.JobFacts | None) -> None:
    """The one thing to do next."""
    if step.works and found is None:
        if number > guide.reached():  # nothing of the steps before is here
            _go(max(1, guide.reached()), "Go on where it stopped")
        else:
            _go(number, "Start this step again")
    elif number < len(guide.STEPS):
        if guide.STEPS[number].works:
            spare.keep_ready(session.FIRES.backbone, "auto")  # the next step starts a job
        _go(number + 1, guide.STEPS[number].button)
    elif st.button("Done: back to the start", key="guide_next", type="primary", icon=":material/check:"):
        guide.leave()
        st.switch_page("pages/start.py", query_params={})


def _working(found: cached.JobFacts | None) -> None:
    """How far the step's job is, where the button to the next step will stand."""
    share, words = 0.0, "Working"
    if found is not None:
        share, told = progress_words.progress_of(found.job, cached.events_of(found.job), found.state)
        words = told if found.state == "queued" else f"Working · {told}" if told else words
    st.button(words, key="guide_next", type="primary", disabled=True)
    st.html(f'<div class="es-bar es-guide-progress"><div style="width:{share * 100:.0f}%"></div></div>')


def _go(number: int, words: str) -> None:
    if st.button(words, key="guide_next", type="primary", icon=":material/arrow_forward:"):
        guide.enter(number)


def _state(at: int, number: int) -> str:
    return "done" if at < number else "now" if at == number else ""
