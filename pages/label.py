"""Label: a few clicks on the map of a store teach a classifier, and the whole map shows what it learnt."""

from __future__ import annotations

import streamlit as st

from pages.ui.embeddings import lens_choice, lens_data
from pages.ui.embeddings import view as embeddings_view
from pages.ui.jobs import chosen_run, scene_scores
from pages.ui.label import beside, choice, files, jump, lesson, told
from pages.ui.label import view as label_view
from pages.ui.look import empty, errors, style
from pages.ui.map import layers, stage
from pages.ui.state import results

_TITLE, _LEAD = "Label", "Click a few patches of each class: the whole map follows."

stores = results.stores()
if not chosen_run.is_shown(stores):
    style.heading(_TITLE, _LEAD)
    chosen_run.require("extract", stores)
    empty.empty(
        "No embeddings yet", "Labels are given on the map of an extraction; on the sample scene it takes less than a minute.",
        "Extract some", "pages/extract.py", "extract",
    )  # fmt: skip
page = stage.stage(_TITLE, _LEAD)
with page.panel, errors.in_words():
    chosen, store, layer = embeddings_view.choose(stores)
    with st.spinner("Finding the principal components of the whole store."):
        shown = lens_data.view(store, layer, 1, lens_choice.position_choice(lens_data.position(store, layer)))
        reduction = lens_data.reduction(shown)
    dates = reduction.header.dates
    date = lens_choice.date_choice(dates, lens_data.has_several_dates(store))
    dated = lens_data.dated_view(shown, date)
    named = beside.choose(stores, chosen)
    second = (
        None if named is None else beside.Beside(named, *lens_data.usual_view(results.store_of(named.job)))
    )
    path, map_key, of = lesson.file_of(store), f"label_{chosen.job.id}", f"labels {layer}"
    labels = lesson.labels_of(path)
    with errors.in_words(stop=False):
        class_name = choice.class_of_clicks(labels)
        told.take(map_key, of, path, class_name, shown.store, dated.chosen)
        if second is not None:
            second.take(path, class_name)
    labels = lesson.labels_of(path)
    choice.choose_class(labels)
    seen = lesson.learn(dated, reduction, labels, dates.index(date) if date else None)
    seen_beside = None if second is None else second.learn(labels, seen)
    choice.change_classes(path, labels)
    files.listing(path, labels)
    jump.offer(seen, map_key)
    accuracy = st.container()
    scenes, base = embeddings_view.choose_base(chosen)
    if second is not None:
        beside.tell_ground(scenes, second)
with page.map, errors.in_words():
    opening = layers.opening(scenes) if len(scenes) > 1 else reduction.bounds_lonlat()
    scores = scene_scores.newest(chosen.config.scene, scenes, store.folder)
    if second is not None:
        opening = beside.opening(scenes, reduction.bounds_lonlat(), second)
    if second is None:
        label_view.draw(seen, map_key, of, scenes, base, opening, scores)
    else:
        beside.draw(seen, map_key, of, (scenes, base, opening, scores), second, seen_beside)
with accuracy, errors.in_words():  # after the map, which need not wait for it
    if seen.taught is not None:
        label_view.accuracy(seen.taught, "" if second is None else beside.title_of(seen))
    if second is not None and seen_beside is not None:
        beside.accuracy(second, seen, seen_beside)
with page.legend, errors.in_words():
    label_view.legend(seen)
    for said in embeddings_view.left_out(reduction):
        st.caption(said)
with page.panel, errors.in_words():
    files.way_on(seen, path, map_key)
    files.exchange(path, labels)
