"""An import under way, as the dialog shows it: its share, the time that is left, and the button that ends it."""

from __future__ import annotations

import streamlit as st

from engine.jobs.job import Job
from pages.ui.jobs import jobs_panel, progress_words
from pages.ui.look import errors, wording
from pages.ui.state import cached

_REFRESH_S = 1.0


def show(job: Job) -> None:
    """Show the job and keep it fresh while it is under way."""
    is_active = job.state_of(cached.events_of(job)) in jobs_panel.ACTIVE
    st.fragment(_draw, run_every=_REFRESH_S if is_active else None)(job)


def _draw(job: Job) -> None:
    events = progress_words.current(cached.events_of(job))
    state = job.state_of(events)
    share, words = progress_words.progress_of(job, events, state)
    is_cancelling = job.is_cancelling
    left = progress_words.time_left(events) if state == "running" and not is_cancelling else None
    said = "Cancelling" if is_cancelling else state.capitalize()
    st.markdown(f"**{wording.plain(jobs_panel.short_name(job))}** &nbsp; :gray[{said}]")
    st.progress(min(share, 1.0), text=f"{words}; time left: {left}" if left else words)
    for _, event in events:
        message = getattr(event, "message", "")
        if message:
            st.caption(wording.told(message))
    is_open = state in jobs_panel.ACTIVE and not is_cancelling
    if is_open and st.button("Cancel", key="bring_cancel", icon=":material/stop:"):
        with errors.in_words(stop=False):
            job.cancel()
            st.rerun(scope="fragment")
    _draw_page_when_ended(job, state)


def _draw_page_when_ended(job: Job, state: str) -> None:
    """When the job ends under our eyes, draw the page once more: its lists then have the store."""
    seen = st.session_state.get("bring_state")
    st.session_state["bring_state"] = (job.id, state)
    if seen == (job.id, "running") and state not in jobs_panel.ACTIVE:
        st.rerun()
