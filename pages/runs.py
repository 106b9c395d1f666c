"""Runs: every job with its state, time, settings and score; one in full, or several beside each other."""

from __future__ import annotations

from pages.ui.bring import dialog as bring
from pages.ui.look import empty, style
from pages.ui.runs import comparison, keeping, listing, removal
from pages.ui.runs import view as runs_view
from pages.ui.state import cached

style.heading(
    "Runs",
    "Every job of this workspace. Pick one to see all of it, or several to see them beside each other.",
)

found = cached.jobs()
bring.offer()
if not found:
    keeping.offer_opening()
    empty.empty(
        "No runs yet",
        "The first extraction or training appears here.",
        "Extract embeddings",
        "pages/extract.py",
        "first_run",
    )
runs_view.disk_use(found)
kept = listing.filtered(found)
chosen = runs_view.chosen(listing.table(kept), kept)
runs_view.end_comparison()
if len(chosen) > 1:
    comparison.show(chosen)
    removal.offer(chosen, found)
elif chosen:
    runs_view.details(chosen[0], found)
keeping.offer_opening()
