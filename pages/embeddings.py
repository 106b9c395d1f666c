"""Embeddings: the principal components of a store as colours over the map."""

from __future__ import annotations

from pages.ui.embeddings import view as embeddings_view
from pages.ui.jobs import chosen_run
from pages.ui.look import empty, errors, notices, style
from pages.ui.map import stage
from pages.ui.state import results

_TITLE, _LEAD = "Embeddings", "What the backbone sees: ground with the same colour looks alike to it."

stores = results.stores()
if not chosen_run.is_shown(stores):
    style.heading(_TITLE, _LEAD)
    chosen_run.require("extract", stores)
    empty.empty(
        "No embeddings yet", "An extraction makes them: on the sample scene it takes less than a minute.", "Extract some",
        "pages/extract.py", "extract",
    )  # fmt: skip
page = stage.stage(_TITLE, _LEAD)
with page.panel, errors.in_words():
    chosen = embeddings_view.choose_store(stores)
    store = results.store_of(chosen.job)
    notices.simulated(store.meta.is_simulated)
    notices.random_weights(store.meta.is_random)
    layer = embeddings_view.choose_layer(store)
    window = embeddings_view.choose_window(store)
    scenes, base = embeddings_view.choose_base(chosen)
with page.map, errors.in_words():
    embeddings_view.show_map(store, layer, window, chosen, scenes, base)
with page.legend, errors.in_words():
    embeddings_view.legend(store, layer, window)
with page.panel, errors.in_words():
    embeddings_view.variance(store, layer, window)
    embeddings_view.facts(store, layer)
