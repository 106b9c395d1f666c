"""The job under way, in the bar on top of every page; a job that another tab starts is seen within seconds."""

from __future__ import annotations

import html

import streamlit as st

from engine.jobs.job import Job
from engine.paths import modified
from pages.ui import workspace
from pages.ui.jobs import jobs_panel, progress_words
from pages.ui.state import cached

# While nothing runs a look is one question to the file system: when did the workspace change last?
_IDLE_S, _BUSY_S = 4.0, 2.0


def show() -> None:
    """Jobs under way, each with its bar."""
    st.session_state["jobs_seen"] = None
    st.fragment(_look, run_every=_BUSY_S if _active() else _IDLE_S)()


def _look() -> None:
    """Draw what goes on; draw the whole page again when a job has begun or ended."""
    stamp, before = modified(workspace.folder()), st.session_state["jobs_seen"]
    if before == (stamp, []):
        return
    active = _active()
    under_way = [found.job.id for found in active]
    if before is not None and under_way != before[1]:
        st.rerun()
    st.session_state["jobs_seen"] = (stamp, under_way)
    _draw_jobs(active)


def _draw_jobs(active: list[cached.JobFacts]) -> None:
    if active:
        more = f"<small>and {len(active) - 1} more</small>" if len(active) > 1 else ""
        row = _row(active[-1].job, active[-1].state, more)  # the oldest: the others wait for it
        st.html(f'<div class="es-job" role="status" aria-label="Jobs under way">{row}</div>')


def _active() -> list[cached.JobFacts]:
    return [facts for facts in cached.jobs() if facts.state in ("running", "queued")]


def _row(job: Job, state: str, more: str) -> str:
    share, words = progress_words.progress_of(job, cached.events_of(job), state)
    return (
        f"<p><b>{html.escape(jobs_panel.short_name(job))}</b><small>{html.escape(words)}</small>{more}</p>"
        f'<div class="es-bar"><div style="width:{share * 100:.0f}%"></div></div>'
    )
