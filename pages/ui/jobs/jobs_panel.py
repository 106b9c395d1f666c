"""One job, live: state, progress, speed, time left, log, and the buttons that end or resume it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from engine.errors import EngineError
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs import events as happened
from engine.jobs.configuration.config import (
    ApplyConfig,
    DatasetConfig,
    ExportConfig,
    ExtractConfig,
    FetchConfig,
    LeaderboardConfig,
    MeasureConfig,
    TrainConfig,
)
from engine.jobs.dataset_events import FireDone
from engine.jobs.job import Job, State
from engine.jobs.leaderboard_events import DecoderTaught
from pages.ui.jobs.progress_words import Events, current, epochs, progress_of, speed, time_left
from pages.ui.look import errors, style, wording
from pages.ui.state import cached

ACTIVE: tuple[State, ...] = ("queued", "running")
STOPPED: tuple[State, ...] = ("failed", "cancelled", "interrupted")
_REFRESH_S = 1.0
_LOG_LINES = 30


def panel(job: Job, more: Callable[[Job, Events], None] | None = None) -> None:
    """Show a job and keep it fresh while it is under way.

    Args:
        more: drawn below the numbers at each refresh (the curves of a training).
    """
    every = _REFRESH_S if job.state_of(cached.events_of(job)) in ACTIVE else None
    st.fragment(_draw, run_every=every)(str(job.folder), more)


def tell_started() -> None:
    """After the button that starts a job, which in a narrow window is far below the panel that shows how far it is."""
    st.toast("Started. How far it is stands at the top of this page.", icon=":material/play_arrow:")


def short_name(job: Job) -> str:
    """What a person calls the job: kind and what it works with."""
    try:
        config = job.config
    except EngineError:
        return job.id
    match config:
        case ExtractConfig(scene=PublishedEmbeddings()):
            words = f"Import · {config.backbone.name}"
        case ExtractConfig():
            words = f"Extract · {config.backbone.name}"
        case TrainConfig():
            words = f"Train · {config.head.name}"
        case ApplyConfig():
            words = "Map with a decoder"
        case FetchConfig():
            words = f"Fetch · {config.title}"
        case MeasureConfig():
            words = f"Measure · {config.title}"
        case ExportConfig():
            words = f"Export · {config.title}"
        case DatasetConfig():
            words = f"Data set · {config.title}"
        case LeaderboardConfig():
            words = f"Leaderboard · {len(config.stores)} × {len(config.heads)} × {len(config.seeds)}"
    return words


def _draw(folder: str, more: Callable[[Job, Events], None] | None) -> None:
    from pathlib import Path

    with errors.in_words(stop=False):
        job = Job.open(Path(folder))
        events = current(cached.events_of(job))
        state = job.state_of(events)
        with st.container(border=True, key="job_panel"):
            _header(job, state, events)
            _numbers(job, events, state)
            if more is not None:
                more(job, events)
            _messages(events)
            _buttons(job, state)
            _log(job)
        _stop_asking(job, state)


def _header(job: Job, state: State, events: Events) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(f"**{wording.plain(short_name(job))}** &nbsp; :gray[{wording.plain(job.id)}]")
    shown = style.state("cancelling" if job.is_cancelling else state)
    right.html(f'<div style="text-align:right" data-state="{state}">{shown}</div>')
    share, words = progress_of(job, events, state)
    st.progress(min(share, 1.0), text=words)


def _numbers(job: Job, events: Events, state: State) -> None:
    begun = next((at for at, event in events if isinstance(event, happened.Started)), None)
    pairs: list[tuple[str, str]] = []
    counted = (event for _, event in reversed(events) if isinstance(event, happened.TileDone | DecoderTaught))
    last = next(counted, None)
    rate = speed(events)
    learned = epochs(events)
    if learned:
        pairs += [
            ("Epochs", f"{learned[-1].epoch} / {learned[-1].epochs}"),
            ("Speed", f"{learned[-1].seconds:.2g} s an epoch"),
        ]
        if learned[-1].patches_per_second:
            pairs.append(("Rate", f"{learned[-1].patches_per_second:,} patches/s"))
    elif fires := [event for _, event in events if isinstance(event, FireDone)]:
        pairs += [("Fires", f"{fires[-1].done:,} / {fires[-1].total:,}"), ("Chips", f"{fires[-1].chips:,}")]
    elif isinstance(last, DecoderTaught):
        pairs.append(("Decoders", f"{last.done:,} / {last.total:,}"))
    elif last is not None:
        pairs += [("Tiles", f"{last.done:,} / {last.total:,}"), ("Patches", f"{last.patches:,}")]
        pairs.append(("Speed", f"{rate:.2g} tiles/s" if rate else "measuring"))
    is_going_on = state == "running" and not job.is_cancelling
    left = time_left(events, time.time(), _after_tiles(job)) if is_going_on else None
    if left is not None:
        pairs.append(("Time left", left))
    if begun is not None and events:
        until = time.time() if state in ACTIVE else events[-1][0]
        pairs.append(("Elapsed", wording.duration(until - begun)))
    if pairs:
        style.facts(pairs)


def _after_tiles(job: Job) -> str:
    """What a job goes on with when its tiles are encoded; empty: it has ended."""
    try:
        config = job.config
    except EngineError:
        return ""
    return {LeaderboardConfig: "the decoders", ApplyConfig: "the map"}.get(type(config), "")


def _messages(events: Events) -> None:
    for _, event in events:
        match event:
            case happened.Noticed(message=message):
                st.info(wording.told(message), icon=":material/info:")
            case happened.Failed(message=message):
                st.error(wording.told(message), icon=":material/error:")
            case happened.Cancelled(message=message):
                st.info(wording.told(message or "Cancelled."), icon=":material/stop_circle:")


def _buttons(job: Job, state: State) -> None:
    if state in ACTIVE and not job.is_cancelling:
        with st.container(horizontal=True):
            if state == "running" and isinstance(job.config, TrainConfig):
                _stop_early(job)
            with st.popover("Cancel", icon=":material/stop:", key="cancel_popover"):
                st.write("End this job? What it has finished is kept, and it can be resumed.")
                if st.button("Yes, cancel the job", type="primary", key="cancel_yes"):
                    with errors.in_words(stop=False):
                        job.cancel()
                        st.rerun()
    elif state in STOPPED and st.button("Resume where it stopped", icon=":material/replay:", key="resume"):
        with errors.in_words(stop=False):
            job.resume()
            st.rerun()


def _stop_early(job: Job) -> None:
    if st.button("Stop early, keep the best", icon=":material/flag:", key="stop_early",
                 help="Ends after this epoch; the best epoch on the validation places is kept and tested."):  # fmt: skip
        job.stop_early()
        st.toast("The training ends after this epoch.", icon=":material/flag:")


def _log(job: Job) -> None:
    with st.expander("Log", icon=":material/notes:"):
        st.code(job.log_tail(_LOG_LINES) or "Nothing has been written yet.", language=None, height=220)


def _stop_asking(job: Job, state: State) -> None:
    """When the job ends under our eyes, draw the whole page once more: it then has results to show."""
    seen: dict[str, Any] = st.session_state.setdefault("seen_states", {})
    before = seen.get(job.id)
    seen[job.id] = state
    if before in ACTIVE and state not in ACTIVE:
        st.rerun()
