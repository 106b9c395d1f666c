"""Embeddings: the principal components of a store as colours over the map."""

from __future__ import annotations

import streamlit as st

from pages.ui import embeddings_view, empty, errors, notices, results, style

style.heading("Embeddings", "What the backbone sees: ground with the same colour looks alike to it.")

stores = results.stores()
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
    layer = embeddings_view.choose_layer(store)
    left, right = st.columns([2.2, 1], gap="medium")
    with right:
        embeddings_view.facts(store, layer)
        shares = embeddings_view.variance(store, layer)
    with left:
        embeddings_view.show_map(store, layer, chosen, shares)
