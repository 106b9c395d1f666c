"""The job under way, in the bar on top of every page."""

from __future__ import annotations

import html

import streamlit as st

from engine.jobs.job import Job
from pages.ui.jobs import jobs_panel
from pages.ui.state import cached


def show() -> None:
    """Jobs under way, each with its bar; asks again only while there are any."""
    every = 2.0 if _active() else None
    st.fragment(_draw, run_every=every)()


def _draw() -> None:
    active = _active()
    was = st.session_state.get("jobs_active", 0)
    st.session_state["jobs_active"] = len(active)
    if active:
        more = f"<small>and {len(active) - 1} more</small>" if len(active) > 1 else ""
        row = _row(active[-1].job, active[-1].state, more)  # the oldest: the others wait for it
        st.html(f'<div class="es-job" role="status" aria-label="Jobs under way">{row}</div>')
    elif was:
        st.rerun()  # the last one ended: the fragment stops asking


def _active() -> list[cached.JobFacts]:
    return [facts for facts in cached.jobs() if facts.state in ("running", "queued")]


def _row(job: Job, state: str, more: str) -> str:
    share, words = jobs_panel.progress_of(job, cached.events_of(job), state)
    return (
        f"<p><b>{html.escape(jobs_panel.short_name(job))}</b><small>{html.escape(words)}</small>{more}</p>"
        f'<div class="es-bar"><div style="width:{share * 100:.0f}%"></div></div>'
    )
