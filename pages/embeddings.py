"""Embeddings: the principal components of a store as colours over the map."""

from __future__ import annotations

import streamlit as st

from pages.ui.embeddings import view as embeddings_view
from pages.ui.jobs import chosen_run
from pages.ui.look import empty, errors, notices, style
from pages.ui.state import results

style.heading("Embeddings", "What the backbone sees: ground with the same colour looks alike to it.")

stores = results.stores()
chosen_run.require("extract", stores)
if not stores:
    empty.empty(
        "No embeddings yet", "An extraction makes them: on the sample scene it takes less than a minute.", "Extract some",
        "pages/extract.py", "extract",
    )  # fmt: skip
chosen = embeddings_view.choose_store(stores)
with errors.in_words():
    store = results.store_of(chosen.job)
    notices.simulated(store.meta.is_simulated)
    notices.random_weights(store.meta.is_random)
    left, right = st.columns([2.2, 1], gap="medium")
    with left, st.container(horizontal=True):
        layer = embeddings_view.choose_layer(store)
        window = embeddings_view.choose_window(store)
        scenes, base = embeddings_view.choose_base(chosen)
    with right:
        embeddings_view.facts(store, layer)
        embeddings_view.variance(store, layer, window)
    with left:
        embeddings_view.show_map(store, layer, window, chosen, scenes, base)
