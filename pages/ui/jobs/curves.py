"""What a training was planned with and how it goes, below its numbers in the job panel."""

from __future__ import annotations

import streamlit as st

from engine.jobs import events as happened
from engine.jobs.config import TrainConfig
from engine.jobs.job import Job
from engine.learning.tasks.table import task_of
from pages.ui.jobs import progress_words
from pages.ui.look import charts, metrics, style


def show(job: Job, events: progress_words.Events) -> None:
    """Places and pixels of each split, and the metrics of every epoch."""
    planned = next((event for _, event in reversed(events) if isinstance(event, happened.TrainPlanned)), None)
    if planned is not None:
        pairs = [
            (f"{name.capitalize()} places", f"{count:,} · {planned.pixels.get(name, 0):,} px")
            for name, count in planned.places.items()
        ]
        style.facts([*pairs, ("Parameters", f"{planned.parameters:,}")], small=True)
    history, config = progress_words.epochs(events), job.config
    if not history or not isinstance(config, TrainConfig):
        return
    classes = task_of(config.task).classes
    charts.curves(history, classes, f"curves_{job.id}")
    best = next((item for item in reversed(history) if item.is_best), None)
    if best is not None:
        st.caption(
            f"Best epoch: {best.epoch} (dotted line). {metrics.title(best.watch, classes)} on the validation places: "
            f"{best.validation[best.watch]:.3f}."
        )
