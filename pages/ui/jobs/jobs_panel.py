"""One job, live: state, progress, speed, time left, log, and the buttons that end or resume it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from engine.errors import EngineError
from engine.jobs import events as happened
from engine.jobs.config import ApplyConfig, ExtractConfig, TrainConfig
from engine.jobs.device_queue import place_of
from engine.jobs.job import Job, State
from pages.ui.look import errors, style, wording
from pages.ui.state import cached

Events = list[tuple[float, happened.Event]]
ACTIVE: tuple[State, ...] = ("queued", "running")
STOPPED: tuple[State, ...] = ("failed", "cancelled", "interrupted")
_REFRESH_S = 1.0
# Speed is measured over the last so many tiles: it follows a machine that gets busy, and does not jump.
_SPEED_OVER = 24
_LOG_LINES = 30


def panel(job: Job, more: Callable[[Job, Events], None] | None = None) -> None:
    """Show a job and keep it fresh while it is under way.

    Args:
        more: drawn below the numbers at each refresh (the curves of a training).
    """
    every = _REFRESH_S if job.state_of(cached.events_of(job)) in ACTIVE else None
    st.fragment(_draw, run_every=every)(str(job.folder), more)


def progress_of(job: Job, events: Events, state: str) -> tuple[float, str]:
    """As `progress`, with the place in the queue."""
    return progress(events, state, place_of(job.folder) if state == "queued" else None)


def progress(events: Events, state: str, place: int | None = None) -> tuple[float, str]:
    """Share done, 0 to 1, and a few words on it.

    Args:
        place: in the queue of the device, 1 for the next job.
    """
    if state == "queued":
        return 0.0, _queue_words(events, place)
    if state == "finished":
        return 1.0, _outcome(events)
    return _step(events, state)


def _step(events: Events, state: str) -> tuple[float, str]:
    """Share done and words of the last event that tells either."""
    for _, event in reversed(events):
        match event:
            case happened.TileDone(done=done, total=total):
                closing = ", closing the store" if done == total and state == "running" else ""
                return done / max(total, 1), f"{done:,} of {wording.count(total, 'tile')}{closing}"
            case happened.MapTileDone(done=done, total=total):
                return done / max(total, 1), f"Mapped {done:,} of {wording.count(total, 'tile')}"
            case happened.EpochDone(epoch=epoch, epochs=most):
                return epoch / max(most, 1), f"Epoch {epoch} of {most}"
            case happened.StepStarted(step=step):
                return (1.0 if epochs(events) else 0.0), step
    return 0.0, "Starting"


def _queue_words(events: Events, place: int | None) -> str:
    """For what a job waits."""
    queued = [event for _, event in events if isinstance(event, happened.Queued)]
    if not queued:
        return "Starting"
    if place is not None and place > 1:
        return f"Number {place} in the queue: workspaces take turns"
    waits = f"aits for {queued[-1].behind}" if queued[-1].behind else "aits for the device"
    return f"Next in the queue, w{waits}" if place == 1 else f"W{waits}"


def _outcome(events: Events) -> str:
    """What a finished job left, in a few words."""
    learned = [event for event in epochs(events) if event.is_best]
    if learned:
        return f"Kept epoch {learned[-1].epoch}, the best on validation, and tested it once"
    mapped = next((event for _, event in reversed(events) if isinstance(event, happened.ApplyDone)), None)
    if mapped is not None:
        return "; ".join(f"{name}: {area:,.1f} ha" for name, area in mapped.hectares.items())
    made = next((event for _, event in reversed(events) if isinstance(event, happened.ExtractDone)), None)
    if made is None:
        return "Done"
    seam = "" if made.seam is None else f" · seam score {made.seam:.2f} (1: none)"
    return f"{wording.count(made.patches, 'patch', 'patches')} in the store{seam}"


def short_name(job: Job) -> str:
    """What a person calls the job: kind and what it works with."""
    try:
        config = job.config
    except EngineError:
        return job.id
    match config:
        case ExtractConfig():
            return f"Extract · {config.backbone.name}"
        case TrainConfig():
            return f"Train · {config.head.name}"
        case ApplyConfig():
            return "Map with a decoder"


def current(events: Events) -> Events:
    """Events since the job was started last."""
    first = max(
        (i for i, (_, event) in enumerate(events) if isinstance(event, happened.Submitted)), default=0
    )
    return events[first:]


def speed(events: Events) -> float | None:
    """Tiles a second over the last tiles by the job's own clock; None before the first is done.

    Tiles are told batch by batch, so a window starts at the first tile of the run or at an earlier batch's end.
    """
    done = [event for _, event in events if isinstance(event, happened.TileDone)]
    if not done:
        return None
    last, before = done[-1], [event for event in done[:-_SPEED_OVER] if event.seconds < done[-1].seconds]
    tiles = last.done - (before[-1].done if before else done[0].done - 1)
    seconds = last.seconds - (before[-1].seconds if before else 0.0)
    return tiles / seconds if seconds > 0 else None


def _draw(folder: str, more: Callable[[Job, Events], None] | None) -> None:
    from pathlib import Path

    with errors.in_words(stop=False):
        job = Job.open(Path(folder))
        events = current(cached.events_of(job))
        state = job.state_of(events)
        with st.container(border=True, key="job_panel"):
            _header(job, state, events)
            _numbers(events, state)
            if more is not None:
                more(job, events)
            _messages(events)
            _buttons(job, state)
            _log(job)
        _stop_asking(job, state)


def _header(job: Job, state: State, events: Events) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown(f"**{wording.plain(short_name(job))}** &nbsp; :gray[{wording.plain(job.id)}]")
    right.html(f'<div style="text-align:right" data-state="{state}">{style.state(state)}</div>')
    share, words = progress_of(job, events, state)
    st.progress(min(share, 1.0), text=words)


def _numbers(events: Events, state: State) -> None:
    begun = next((at for at, event in events if isinstance(event, happened.Started)), None)
    pairs: list[tuple[str, str]] = []
    last = next((event for _, event in reversed(events) if isinstance(event, happened.TileDone)), None)
    rate = speed(events)
    learned = epochs(events)
    if learned:
        pairs += [
            ("Epochs", f"{learned[-1].epoch} / {learned[-1].epochs}"),
            ("Speed", f"{learned[-1].seconds:.2g} s an epoch"),
        ]
    elif last is not None:
        pairs += [("Tiles", f"{last.done:,} / {last.total:,}"), ("Patches", f"{last.patches:,}")]
        pairs.append(("Speed", f"{rate:.2g} tiles/s" if rate else "measuring"))
    if state == "running":
        pairs.append(("Time left", _time_left(events, last, rate)))
    if begun is not None and events:
        import time

        until = time.time() if state in ACTIVE else events[-1][0]
        pairs.append(("Elapsed", wording.duration(until - begun)))
    if pairs:
        style.facts(pairs)


def _time_left(events: Events, last: happened.TileDone | None, rate: float | None) -> str:
    learned = epochs(events)
    if learned:
        return f"at most {wording.duration((learned[-1].epochs - learned[-1].epoch) * learned[-1].seconds)}"
    if last is None or not rate:
        return "measuring"
    return wording.duration((last.total - last.done) / rate)


def _messages(events: Events) -> None:
    for _, event in events:
        match event:
            case happened.Noticed(message=message):
                st.info(wording.plain(message), icon=":material/info:")
            case happened.Failed(message=message):
                st.error(wording.plain(message), icon=":material/error:")
            case happened.Cancelled(message=message):
                st.info(wording.plain(message or "Cancelled."), icon=":material/stop_circle:")


def _buttons(job: Job, state: State) -> None:
    if state in ACTIVE:
        with st.container(horizontal=True):
            if state == "running" and isinstance(job.config, TrainConfig):
                _stop_early(job)
            with st.popover("Cancel", icon=":material/stop:", key="cancel_popover"):
                st.write("End this job? What it has finished is kept, and it can be resumed.")
                if st.button("Yes, cancel the job", type="primary", key="cancel_yes"):
                    with errors.in_words(stop=False):
                        job.cancel()
                        st.rerun()
    elif state in STOPPED:
        label = "Start it again" if isinstance(job.config, TrainConfig) else "Resume where it stopped"
        if st.button(label, icon=":material/replay:", key="resume"):
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


def epochs(events: Sequence[tuple[float, happened.Event]]) -> list[happened.EpochDone]:
    """The epochs of a training so far."""
    return [event for _, event in events if isinstance(event, happened.EpochDone)]
