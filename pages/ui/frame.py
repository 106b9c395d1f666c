"""The frame around every page: navigation, and a sidebar that says what is looked at and what is running."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.jobs.job import Job
from pages.ui.jobs import jobs_panel
from pages.ui.look import style, wording
from pages.ui.look.palette import theme
from pages.ui.map.serving import BRAND
from pages.ui.state import cached, machine, regions, session

_PAGES = Path(__file__).resolve().parents[1]
_WORKFLOW = ("explore", "extract", "embeddings", "train", "evaluate")
_LIBRARY = ("backbones", "runs")
# Pages on which the place and the region chosen are what will be worked on.
_CHOOSE_GROUND = ("Explore", "Extract")
_MOST_JOBS = 4


def draw() -> None:
    """Draw the frame and, inside it, the page that was asked for."""
    st.set_page_config(page_title="Emberscope", page_icon=str(BRAND / "icon.svg"), layout="wide")
    pages = {
        "Workflow": [_page(name, default=name == "explore") for name in _WORKFLOW],
        "Library": [_page(name) for name in _LIBRARY],
    }
    chosen = st.navigation(pages)
    st.logo(str(BRAND / f"logo-{theme()}.svg"), size="large", icon_image=str(BRAND / "icon.svg"))
    style.apply()
    session.restore_from_address()
    with st.sidebar:
        _looking_at(chooses_ground=chosen.title in _CHOOSE_GROUND)
        _running()
    chosen.run()


def _page(name: str, *, default: bool = False) -> object:
    return st.Page(_PAGES / f"{name}.py", title=name.capitalize(), default=default)


def _looking_at(*, chooses_ground: bool) -> None:
    ground = (("Place", session.place().title), ("Region", _region_words())) if chooses_ground else ()
    rows = (*ground, ("Device", machine.device_words()))
    cells = "".join(f"<div><small>{name}</small><b>{html.escape(value)}</b></div>" for name, value in rows)
    st.html(f'<div class="es-side">{cells}</div>')


def _region_words() -> str:
    region = regions.chosen()
    try:
        return wording.area(regions.checked(region).area_km2) if region else "all that its scenes cover"
    except EngineError:
        return "not usable; choose it again"


def _running() -> None:
    """Jobs under way, each with its bar; asks again only while there are any."""
    every = 2.0 if _active() else None
    st.fragment(_draw_running, run_every=every)()


def _draw_running() -> None:
    active = _active()
    was = st.session_state.get("sidebar_active", 0)
    st.session_state["sidebar_active"] = len(active)
    if active:
        rows = "".join(_row(facts.job, facts.state) for facts in active[:_MOST_JOBS])
        more = f"<small>and {len(active) - _MOST_JOBS} more</small>" if len(active) > _MOST_JOBS else ""
        st.html(f'<div class="es-side"><small>Jobs under way</small>{rows}{more}</div>')
    elif was:
        st.rerun()  # the last one ended: the fragment stops asking


def _active() -> list[cached.JobFacts]:
    return [facts for facts in cached.jobs() if facts.state in ("running", "queued")]


def _row(job: Job, state: str) -> str:
    share, words = jobs_panel.progress(cached.events_of(job), state)
    return (
        f"<div><b>{html.escape(jobs_panel.short_name(job))}</b><small>{html.escape(words)}</small>"
        f'<div class="es-bar"><div style="width:{share * 100:.0f}%"></div></div></div>'
    )
