"""A training as it learns: its curves, the map of a validation tile at every epoch, and other runs beside it."""

from __future__ import annotations

import base64
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import EpochDone
from engine.jobs.job import Job
from engine.learning import film_reel
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.numbers import rounded
from engine.learning.tasks.table import task_of
from pages.ui.jobs import curves, jobs_panel, progress_words
from pages.ui.jobs.differing import differing_in_words
from pages.ui.look import charts, metrics, style
from pages.ui.state import cached, results

_STRIP = 6


def show(job: Job, events: progress_words.Events) -> None:
    """Curves, then the film, then the runs that are compared."""
    curves.show(job, events)
    _film(job, is_active=job.state_of(events) in jobs_panel.ACTIVE)
    _beside_others(job, events)


def _film(job: Job, is_active: bool) -> None:
    """The labels, the map of an epoch, and a strip of the others."""
    paths = film_reel.frame_paths(job.folder)
    last = film_reel.frame_of(paths[-1]) if paths else None
    if last is None:
        return
    st.markdown("**The map as it is learned**")
    if is_active:
        _choose_tile(job, last.tile_id)
    numbers = [int(path.stem.removeprefix("epoch-")) for path in paths]
    chosen = len(paths) - 1
    if not is_active and len(paths) > 1:
        epoch = st.select_slider("Epoch", numbers, value=numbers[-1], key=f"film_{job.id}")
        chosen = numbers.index(epoch)
    truth = film_reel.labels_frame(job.folder)
    left, right = st.columns(2)
    if truth is not None:
        _image(left, truth.path, f"Labels of {truth.tile_id}", "")
    _image(right, paths[chosen], f"Epoch {numbers[chosen]}", "The map after ")
    _legend(job)
    if not is_active and len(paths) > 2:
        picked = sorted({round(i * (len(paths) - 1) / (_STRIP - 1)) for i in range(_STRIP)})
        for column, index in zip(st.columns(_STRIP), picked, strict=False):
            _image(column, paths[index], f"{numbers[index]}", "The map after epoch ")


def _choose_tile(job: Job, shown: str) -> None:
    """Another validation tile, from the next epoch on."""
    tiles = film_reel.tiles_of(job.folder)
    if len(tiles) < 2 or shown not in tiles:
        return
    picked = st.selectbox("Watch", tiles, index=tiles.index(shown), key=f"watch_{job.id}")
    if picked != shown and st.session_state.get(f"watched_{job.id}") != picked:
        film_reel.watch(job.folder, picked)
        st.session_state[f"watched_{job.id}"] = picked


def _legend(job: Job) -> None:
    config = job.config
    if not isinstance(config, TrainConfig):
        return
    shown = task_of(config.task).prediction_style
    if shown.ramp is not None:
        style.small(f"{shown.ramp.title}: dark {rounded(shown.ramp.low)}, bright {rounded(shown.ramp.high)}")
        return
    style.legend([(style.css(shown.colours[value]), words) for value, words in shown.names.items()])


def _beside_others(job: Job, events: progress_words.Events) -> None:
    """The watched metric of this run and of others that a person picks, in one plot."""
    history, config = progress_words.epochs(events), job.config
    if not history or not isinstance(config, TrainConfig):
        return
    others = {
        found.job.id: found
        for found in cached.jobs()
        if found.kind == "train" and found.job.id != job.id and _watches(found.job, history[-1].watch)
    }
    if not others:
        return
    forked = st.session_state.get("forked_from")
    picked = st.multiselect(
        "Compare with", list(others), default=[forked] if forked in others else [], key=f"compare_{job.id}",
        format_func=lambda name: results.training_words(others[name]),
    )  # fmt: skip
    if picked:
        differing = differing_in_words([config, *(others[name].config for name in picked)])
        named = {_labelled("this run", differing[0]): history}
        named |= {
            _labelled(results.training_words(others[name]), differs): _history(others[name].job)
            for name, differs in zip(picked, differing[1:], strict=True)
        }
        learned = {name: epochs for name, epochs in named.items() if epochs}
        title = metrics.title(history[-1].watch, task_of(config.task).classes)
        charts.curves_over(learned, history[-1].watch, title, f"compared_{job.id}")


def _labelled(name: str, differs: str) -> str:
    """A run in a legend, with what it does otherwise than the others."""
    return f"{name} · {differs}" if differs else name


def _watches(job: Job, metric: str) -> bool:
    """Whether a training has epochs of the same metric."""
    learned = progress_words.epochs(cached.events_of(job))
    return bool(learned) and learned[-1].watch == metric


def _history(job: Job) -> list[EpochDone]:
    try:
        return TrainRun(job.folder).history
    except (EngineError, OSError):
        return []


def _image(column: st.delta_generator.DeltaGenerator, path: Path, caption: str, more: str) -> None:
    """A picture; to those who cannot see it, `more` and the caption."""
    column.image(_picture(path), caption=caption, width="stretch", alt=f"{more}{caption}")


def _picture(path: Path) -> str:
    """A picture's content inside its address.

    Streamlit keeps pictures by their path, and this one may be written again; and of what it keeps by content, a refresh
    of the panel takes away what a slow browser has not asked for yet.
    """
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
