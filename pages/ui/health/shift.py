"""What a shift by one pixel does is measured by a job, for it needs the encoder: its button and its progress."""

from __future__ import annotations

import streamlit as st

from engine.jobs.configuration.config import MeasureConfig, ShiftConfig
from engine.jobs.job import submit
from engine.store.store import EmbeddingStore
from engine.views.health.card import LayerHealth
from pages.ui import workspace
from pages.ui.jobs import jobs_panel
from pages.ui.look import errors
from pages.ui.state import cached


def offer(store: EmbeddingStore, found: LayerHealth) -> None:
    """A button where it was not measured yet, or the job that measures it."""
    if found.shift_sensitivity is not None:
        return
    config = MeasureConfig(store=str(store.folder), what=ShiftConfig())
    job = next((facts for facts in cached.jobs() if facts.config == config), None)
    if job is not None and job.state != "finished":
        jobs_panel.panel(job.job)
    elif st.button(
        "Measure it", key="shift_start", icon=":material/straighten:",
        help="Encodes six tiles twice, the second time a pixel further east; seconds to a minute.",
    ):  # fmt: skip
        with errors.in_words(stop=False):
            submit(config, workspace.folder())
            st.rerun()
