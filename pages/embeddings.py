"""Embeddings: what a backbone made of the images, drawn by the browser through a lens over the map."""

from __future__ import annotations

import streamlit as st

from pages.ui.bring import dialog as bring
from pages.ui.embeddings import (
    basis_choice,
    change_view,
    cluster_labels,
    exports,
    gallery,
    lens_choice,
    lens_data,
    lens_views,
    picks,
    same_with,
    store_files,
)
from pages.ui.embeddings import view as embeddings_view
from pages.ui.health import card as health_card
from pages.ui.jobs import chosen_run
from pages.ui.look import empty, errors, style
from pages.ui.map import stage
from pages.ui.state import results

_TITLE, _LEAD = (
    "Embeddings",
    "What a backbone made of the images: patches of the same colour have similar embeddings.",
)

stores = results.stores()
if not chosen_run.is_shown(stores):
    style.heading(_TITLE, _LEAD)
    chosen_run.require("extract", stores)
    bring.offer("bring_first")
    empty.empty(
        "No embeddings yet", "An extraction makes them: on the sample scene it takes less than a minute.", "Extract some",
        "pages/extract.py", "extract",
    )  # fmt: skip
page = stage.stage(_TITLE, _LEAD)
with page.panel, errors.in_words():
    chosen, store, layer = embeddings_view.choose(stores, below=bring.offer)
    window = embeddings_view.choose_window(store.at_own_patches(layer))
    with st.spinner("Measuring what position explains."):
        share = lens_data.position(store, layer)
    shown = lens_data.view(store, layer, window, lens_choice.position_choice(share))
    with st.spinner("Finding the principal components of the whole store."):
        reduction = lens_data.reduction(shown)
    dates = reduction.header.dates
    date = lens_choice.date_choice(dates, lens_data.has_several_dates(store))
    choice = lens_choice.choose(len(reduction.basis.components))
    change = change_view.choose(shown, date, dates, stores) if choice.view == "Change" else None
    if choice.view == "Change" and change is None:
        choice = lens_choice.Choice("Components")
    other = basis_choice.choose(shown, stores) if choice.view == "Components" else None
    if other is not None:
        with st.spinner("Projecting on the other store's components."):
            reduction = lens_data.reduction(shown, other[0])
    scenes, base = embeddings_view.choose_base(chosen)
    of = f"{choice.view} {layer} {window}"
    picked = picks.picked(embeddings_view.map_key(chosen), of, choice.view == "Similarity", store.rows)
    with st.spinner("Making the lens."):
        looked = lens_views.look(
            lens_data.dated_view(shown, date),
            reduction,
            choice,
            picked,
            dates.index(date) if date else None,
            change,
            other[1] if other else "",
        )
with page.map, errors.in_words():
    embeddings_view.show_map(looked, chosen, scenes, base, of)
with page.legend, errors.in_words():
    lens_views.legend(looked, embeddings_view.note(looked))
with page.panel, errors.in_words():
    cluster_labels.panel(looked)
    gallery.panel(looked, scenes, base, stores)
    exports.panel(looked, scenes, embeddings_view.note(looked, is_of_map=False))
    embeddings_view.variance(looked)
    health_card.button(store, layer)
    embeddings_view.facts(shown.store, layer)
    store_files.panel(store, layer)
    same_with.offer(chosen.config, scenes)
