"""Compare: up to four stores side by side, in colours that mean the same, and how alike they are."""

from __future__ import annotations

import streamlit as st

from pages.ui.compare import choice, data, numbers, same_ground, scatter, sight
from pages.ui.embeddings.view import left_out
from pages.ui.look import empty, errors, notices, style
from pages.ui.look.wording import plain
from pages.ui.state import cached, results

style.heading("Compare", "Backbones, layers and dates beside each other, in colours that mean the same.")
stores = results.stores()
if not stores:
    empty.empty(
        "No embeddings yet", "Two extractions of the same ground, or one with two layers, can be compared.", "Extract some",
        "pages/extract.py", "extract",
    )  # fmt: skip
choices = st.container(horizontal=True, vertical_alignment="bottom")  # one row: the maps want the height
with errors.in_words():
    with st.spinner("Measuring what position explains."):
        slots = choice.choose(stores, choices)
    notices.simulated(any(slot.store.meta.is_simulated for slot in slots))
    notices.random_weights(any(slot.store.meta.is_random for slot in slots))
    choice.tell_twice(slots)
    with choices:
        same_ground.offer(slots[0])
        same_ground.label_both(slots)
    keys = tuple(data.key_of(slot.store, slot.layer, slot.date, slot.position) for slot in slots)
    views = [data.view(key, slot.store) for key, slot in zip(keys, slots, strict=True)]
    with st.spinner("Comparing the stores on the ground that they share."):
        found = data.comparison(keys, views)
    with st.spinner("Preparing the maps."):
        seen = [
            sight.Seen(slot, view, data.reduction(key, view), colours)
            for key, slot, view, colours in zip(keys, slots, views, found.colours, strict=True)
        ]
with choices:
    shown = st.segmented_control(
        "Show",
        list(sight.SHOWN),
        default=sight.ALIGNED,
        required=True,
        key="compare_show",
        bind="query-params",
    )
    layout = st.segmented_control(
        "Maps are", ["Side by side", "Under a swipe"], default="Side by side", required=True, key="compare_layout",
        bind="query-params", help="The swipe parts the first two.",
    )  # fmt: skip
st.caption(sight.SHOWN[shown or sight.ALIGNED])
for one in seen:
    for words in left_out(one.reduction):
        st.caption(f"{plain(one.slot.title)}: {words}")
is_swiped = layout == "Under a swipe"
names = [slot.title for slot in slots]
with errors.in_words():
    with st.container(key="compare_maps"):
        home = sight.opening(seen, found.ground)
        sight.draw(seen, shown or sight.ALIGNED, is_swiped, scatter.selected(views), home)
    numbers.correlations(found, names)
    st.subheader("Scatter", anchor=False)
    scatter.show(found, seen, [sight.picked_on(slot, is_swiped) for slot in slots])
    st.subheader("Likeness", anchor=False)
    numbers.likeness(found, [f"{slot.number + 1} · {slot.title}" for slot in slots])
    if cached.has_labels(slots[0].facts.config.scene):
        st.subheader("With labels", anchor=False)
        if st.toggle("Score with the labels of the scenes", key="compare_scores", bind="query-params"):
            with st.spinner("Learning on some places and testing on others."):
                numbers.scores(data.scores(keys, found), names)
