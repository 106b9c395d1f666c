"""What a training was planned with and how it goes, below its numbers in the job panel."""

from __future__ import annotations

import streamlit as st

from engine.jobs import events as happened
from engine.jobs.job import Job
from pages.ui.jobs import jobs_panel
from pages.ui.look import charts, style


def show(job: Job, events: jobs_panel.Events) -> None:
    """What a training was planned with, and how it goes."""
    planned = next((event for _, event in reversed(events) if isinstance(event, happened.TrainPlanned)), None)
    if planned is not None:
        pairs = [
            (f"{name.capitalize()} places", f"{count:,} · {planned.pixels.get(name, 0):,} px")
            for name, count in planned.places.items()
        ]
        style.facts([*pairs, ("Parameters", f"{planned.parameters:,}")], small=True)
    history = jobs_panel.epochs(events)
    if history:
        charts.curves(history, f"curves_{job.id}")
        best = [item for item in history if item.is_best]
        if best:
            st.caption(
                f"Best epoch: {best[-1].epoch}, with a validation {charts.metric_title(best[-1].watch)} of "
                f"{best[-1].validation[best[-1].watch]:.3f} (dotted line)."
            )
