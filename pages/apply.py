"""Apply: a trained decoder over any store that fits it, as a map with hectares to take home."""

from __future__ import annotations

from pages.ui.apply import made_map
from pages.ui.apply import view as apply_view
from pages.ui.jobs import chosen_run
from pages.ui.look import empty, errors, notices, style
from pages.ui.map import stage
from pages.ui.state import results

_TITLE, _LEAD = (
    "Apply",
    "Map what a decoder has learned, on any ground whose embeddings fit it, and take the map home.",
)

runs, stores = results.trainings(), results.stores()
if not chosen_run.is_shown(runs):
    style.heading(_TITLE, _LEAD)
    chosen_run.require("train", runs)
    empty.empty(
        "No decoder yet", "A training makes one; then it can map other ground.", "Train a decoder", "pages/train.py", "train"
    )  # fmt: skip
page = stage.stage(_TITLE, _LEAD)
with page.panel, errors.in_words():
    run = apply_view.choose_decoder(runs)
    chosen = apply_view.choose_store(run, stores)
    store = results.store_of(chosen.job)
    notices.simulated(store.meta.is_simulated)
    notices.random_weights(store.meta.is_random)
    base = apply_view.choose_base(chosen)
    made = made_map.of(run, store)
with page.map, errors.in_words():
    apply_view.show(run, chosen, base, made)
with page.panel, errors.in_words():
    if made is None:
        made_map.offer(run, store)
    else:
        apply_view.hectares(made)
        apply_view.downloads(run, chosen, made)
with page.legend:
    apply_view.legend(run, made)
