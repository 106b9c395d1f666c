"""Several runs beside each other: curves over each other, and their settings with what differs first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.jobs.configuration.config import JobConfig
from engine.jobs.note import read_note
from engine.learning.tasks.table import task_of
from pages.ui.jobs import progress_words
from pages.ui.look import charts, metrics, style, wording
from pages.ui.state import cached

MOST = 8
_LONGEST = 48
# Stands in other columns, or says where a job runs and in what portions.
_SAID = (
    "backbone.name",
    "head.name",
    "layers",
    "store",
    "scene.",
    "decoder",
    "ground",
    "device",
    "batch_size",
    "engine",
    "compile",
)
_ABSENT = "–"


def show(chosen: Sequence[cached.JobFacts]) -> None:
    """Curves of the trainings among some runs, then the settings of all."""
    shown = chosen[:MOST]
    st.subheader(f"{len(shown)} runs beside each other", anchor=False)
    if len(chosen) > MOST:
        st.caption(f"The first {MOST} of {len(chosen)}; more could not be told apart.")
    _curves([item for item in shown if item.kind == "train"])
    _settings(shown)


def differing_in_words(configs: Sequence[JobConfig]) -> list[str]:
    """For each run the settings in which those of its kind differ: "seed 1 · rate 0.01"; empty where none does.

    What other columns of the list say, and what changes no result, is left out.
    """
    flat = [_flat(config) for config in configs]
    of_kind = {
        kind: _differing([one for config, one in zip(configs, flat, strict=True) if config.kind == kind])
        for kind in {config.kind for config in configs}
    }
    return [
        " · ".join(
            _setting(key, own[key])
            for key in of_kind[config.kind]
            if key in own and not key.startswith(_SAID)
        )
        for config, own in zip(configs, flat, strict=True)
    ]


def _setting(key: str, value: Any) -> str:
    words = _words(value)
    return f"{_short_key(key)} {words if len(words) <= _LONGEST else '…'}"


def _curves(trainings: Sequence[cached.JobFacts]) -> None:
    """The watched metric and the loss on the validation places, a line for each training of one task."""
    histories = {item.job.id: progress_words.epochs(cached.events_of(item.job)) for item in trainings}
    learned = [item for item in trainings if histories[item.job.id]]
    if len(learned) < 2:
        return
    labels = _labels(learned)
    watched = dict.fromkeys(histories[item.job.id][-1].watch for item in learned)
    classes = task_of(learned[0].config.task).classes
    for name in (*watched, "loss"):
        lines = {labels[item.job.id]: histories[item.job.id] for item in learned}
        charts.curves_over(lines, name, metrics.title(name, classes), f"compare_{name}")
    st.caption("On the validation places. The dot is the epoch that was kept.")


def _settings(shown: Sequence[cached.JobFacts]) -> None:
    flat, labels = [_flat(item.config) for item in shown], _labels(shown)
    columns = ["Setting", *(labels[item.job.id] for item in shown)]
    differing = _differing(flat)
    same = [key for key in dict.fromkeys(key for one in flat for key in one) if key not in differing]
    if differing:
        style.table(columns, [_cells(key, flat) for key in differing])
    else:
        st.caption("All settings are the same.")
    with st.expander(f"{wording.count(len(same), 'setting')} that all of them share"):
        style.table(
            ["Setting", "Value"], [(key, [_cut(_words(flat[0][key]))]) for key in same if key in flat[0]]
        )


def _cells(key: str, flat: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    return key, [_cut(_words(one[key])) if key in one else _ABSENT for one in flat]


def _labels(shown: Sequence[cached.JobFacts]) -> dict[str, str]:
    """A short name for each: the person's own, else when it was started; told apart by the folder's last signs."""
    named = {
        item.job.id: read_note(item.job.folder).name or wording.when(item.submitted_at) for item in shown
    }
    twice = {name for name in named.values() if list(named.values()).count(name) > 1}
    return {run: f"{name} · {run[-4:]}" if name in twice else name for run, name in named.items()}


def _flat(config: JobConfig) -> dict[str, Any]:
    """Settings by their dotted names."""
    found: dict[str, Any] = {}

    def walk(tree: Mapping[str, Any], above: str) -> None:
        for key, value in tree.items():
            if isinstance(value, Mapping):
                walk(value, f"{above}{key}.")
            else:
                found[above + key] = value

    walk(config.model_dump(mode="json"), "")
    return found


def _differing(flat: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = dict.fromkeys(key for one in flat for key in one)
    return [key for key in keys if len({repr(one.get(key)) for one in flat}) > 1]


def _words(value: Any) -> str:
    if value is None:
        return "default"
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value}"


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST // 2]}…{words[-_LONGEST // 2 :]}"


def _short_key(key: str) -> str:
    """The last part of a dotted name, with the one before where that says nothing alone."""
    parts = key.split(".")
    return ".".join(parts[-2:]) if parts[-1] in ("name", "path", "source", "date", "file") else parts[-1]
