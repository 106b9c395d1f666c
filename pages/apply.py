"""Apply: a trained decoder over any ground that fits it, as a map with hectares to take home."""

from __future__ import annotations

from pages.ui.apply import view as apply_view
from pages.ui.jobs import chosen_run
from pages.ui.look import empty, style
from pages.ui.map import stage
from pages.ui.state import cached, results

_TITLE, _LEAD = (
    "Apply",
    "Map what a decoder has learned, on any ground that fits it, and take the map home.",
)

runs, stores = results.trainings(), results.stores()
applied = [found for found in cached.jobs() if found.kind == "apply"]
found = apply_view.chosen_job(applied)
if found is None and not chosen_run.is_shown(runs):
    style.heading(_TITLE, _LEAD)
    chosen_run.require("apply", [*applied, *runs])
    empty.empty(
        "No decoder yet", "A training makes one; then it can map other ground.", "Train a decoder", "pages/train.py", "train"
    )  # fmt: skip
page = stage.stage(_TITLE, _LEAD)
if found is None:
    apply_view.show_form(page, runs, stores, applied)
else:
    apply_view.show_job(page, found)
