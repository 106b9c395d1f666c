"""Several runs beside each other: curves over each other, and their settings with what differs first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.jobs.note import read_note
from engine.learning.tasks.table import task_of
from pages.ui.jobs import progress_words
from pages.ui.jobs.differing import cut, differing, flat_of, in_words
from pages.ui.look import charts, metrics, style, wording
from pages.ui.state import cached

MOST = 8
_ABSENT = "–"


def show(chosen: Sequence[cached.JobFacts]) -> None:
    """Curves of the trainings among some runs, then the settings of all."""
    shown = chosen[:MOST]
    st.subheader(f"{len(shown)} runs beside each other", anchor=False)
    if len(chosen) > MOST:
        st.caption(f"The first {MOST} of {len(chosen)}; more could not be told apart.")
    _curves([item for item in shown if item.kind == "train"])
    _settings(shown)


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
    flat, labels = [flat_of(item.config) for item in shown], _labels(shown)
    columns = ["Setting", *(labels[item.job.id] for item in shown)]
    unlike = differing(flat)
    same = [key for key in dict.fromkeys(key for one in flat for key in one) if key not in unlike]
    if unlike:
        style.table(columns, [_cells(key, flat) for key in unlike])
    else:
        st.caption("All settings are the same.")
    with st.expander(f"{wording.count(len(same), 'setting')} that all of them share"):
        style.table(
            ["Setting", "Value"], [(key, [cut(in_words(flat[0][key]))]) for key in same if key in flat[0]]
        )


def _cells(key: str, flat: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    return key, [cut(in_words(one[key])) if key in one else _ABSENT for one in flat]


def _labels(shown: Sequence[cached.JobFacts]) -> dict[str, str]:
    """A short name for each: the person's own, else when it was started; told apart by the folder's last signs."""
    named = {
        item.job.id: read_note(item.job.folder).name or wording.when(item.submitted_at) for item in shown
    }
    twice = {name for name in named.values() if list(named.values()).count(name) > 1}
    return {run: f"{name} · {run[-4:]}" if name in twice else name for run, name in named.items()}
