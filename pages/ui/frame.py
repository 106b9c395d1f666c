"""The frame around every page: navigation on top, and the job under way beside it."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from engine.jobs.job import Job
from pages.ui.jobs import jobs_panel
from pages.ui.look import style
from pages.ui.look.palette import theme
from pages.ui.map.serving import BRAND
from pages.ui.state import cached, session

_PAGES = Path(__file__).resolve().parents[1]
_NAMES = ("start", "explore", "extract", "embeddings", "train", "evaluate", "apply", "backbones", "runs")


def draw() -> None:
    """Draw the frame and, inside it, the page that was asked for."""
    st.set_page_config(page_title="Emberscope", page_icon=str(BRAND / "icon.svg"), layout="wide")
    chosen = st.navigation([_page(name) for name in _NAMES], position="top")
    st.logo(str(BRAND / f"logo-{theme()}.svg"), size="large")
    style.apply()
    session.restore_from_address()
    with st.container(key="jobs_under_way"):
        _running()
    chosen.run()


def _page(name: str) -> object:
    return st.Page(_PAGES / f"{name}.py", title=name.capitalize(), default=name == _NAMES[0])


def _running() -> None:
    """Jobs under way, each with its bar; asks again only while there are any."""
    every = 2.0 if _active() else None
    st.fragment(_draw_running, run_every=every)()


def _draw_running() -> None:
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
    share, words = jobs_panel.progress(cached.events_of(job), state)
    return (
        f"<p><b>{html.escape(jobs_panel.short_name(job))}</b><small>{html.escape(words)}</small>{more}</p>"
        f'<div class="es-bar"><div style="width:{share * 100:.0f}%"></div></div>'
    )
