"""Runs: every job with its state, time, configuration and the command that runs it again."""

from __future__ import annotations

from pages.ui.look import empty, style
from pages.ui.runs import view as runs_view
from pages.ui.state import cached

style.heading(
    "Runs", "Every job of this workspace, with the configuration and the command that runs it again."
)

found = cached.jobs()
if not found:
    empty.empty(
        "No runs yet",
        "The first extraction or training appears here.",
        "Extract embeddings",
        "pages/extract.py",
        "first_run",
    )
kept = runs_view.filtered(found)
chosen = runs_view.table(kept)
if chosen is not None:
    runs_view.details(chosen)
