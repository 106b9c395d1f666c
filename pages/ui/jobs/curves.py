"""What a training was planned with and how it goes, below its numbers in the job panel."""

from __future__ import annotations

import streamlit as st

from engine.jobs import events as happened
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.job import Job
from engine.learning.tasks.table import task_of
from pages.ui.jobs import progress_words
from pages.ui.look import charts, metrics, style


def show(job: Job, events: progress_words.Events) -> None:
    """Places and pixels of each split, and the metrics of every epoch."""
    planned = next((event for _, event in reversed(events) if isinstance(event, happened.TrainPlanned)), None)
    if planned is not None:
        pairs = [
            (f"{name.capitalize()} places", f"{count:,} · {planned.pixels.get(name, 0):,} labels")
            for name, count in planned.places.items()
        ]
        style.facts([*pairs, ("Parameters", f"{planned.parameters:,}")], small=True)
        _class_shares(planned)
    history, config = progress_words.epochs(events), job.config
    if not history or not isinstance(config, TrainConfig):
        return
    task = task_of(config.task)
    charts.curves(history, task, f"curves_{job.id}")
    best = next((item for item in reversed(history) if item.is_best), None)
    if best is not None:
        st.caption(
            f"Best epoch: {best.epoch} (dotted line). {metrics.titled(best.watch, task)} on the validation places: "
            f"{best.validation[best.watch]:.3f}."
        )


def _class_shares(planned: happened.TrainPlanned) -> None:
    """Each class's labels and their share of the split's, split by split; nothing where numbers are learned."""
    titles = list(next(iter(planned.classes.values()), {}))
    if not titles or titles == ["labelled"]:
        return
    with st.expander("Labels of each class", icon=":material/donut_small:"):
        rows = []
        for name, counts in planned.classes.items():
            total = max(sum(counts.values()), 1)
            rows.append(
                (
                    name.capitalize(),
                    [f"{counts[title]:,} · {100 * counts[title] / total:.1f} %" for title in titles],
                )
            )
        style.table(["Split", *titles], rows)
