"""Clusters are given names, and a cluster becomes a class of labels by its most typical patches."""

from __future__ import annotations

import streamlit as st
from shapely.geometry import Point

from engine.labels.clicked.geojson import change_labels, labels_path
from engine.labels.clicked.label_set import Label, LabelSet, now
from engine.labels.clicked.on_store import middle_of, tile_of
from engine.views.cluster_names import LONGEST_NAME, name_cluster
from engine.views.clusters import typical_rows
from pages.ui import workspace
from pages.ui.embeddings import lens_data
from pages.ui.embeddings.lens_views import Looked
from pages.ui.look import errors, wording

_USUAL, _MOST = 10, 100


def panel(looked: Looked) -> None:
    """Name one of the clusters that are seen, and make it labels."""
    if looked.choice.view != "Clusters" or looked.lens is None:
        return
    st.subheader("Name the clusters", anchor=False)
    clusters, names = lens_data.clusters(looked.view, looked.choice.clusters), looked.lens.names
    shares = clusters.counts / clusters.counts.sum()
    number = st.selectbox(
        "Cluster", range(len(names)), key=f"cluster_{len(names)}",
        format_func=lambda one: f"{names[one]} · {100 * shares[one]:.0f} %",
    )  # fmt: skip
    given = "" if names[number] == f"cluster {number + 1}" else names[number]
    name = st.text_input(
        "Its name",
        given,
        key=f"cluster_name_{len(names)}_{number}",
        max_chars=LONGEST_NAME,
        placeholder="open water",
    )
    if st.button("Name it", key="cluster_rename", disabled=" ".join(name.split()) == given):
        with errors.in_words(stop=False):
            name_cluster(looked.view, clusters, number, name)
            st.rerun()
    if given:
        _offer_labels(looked, number, given)


def _offer_labels(looked: Looked, number: int, name: str) -> None:
    """A button that makes labels of a cluster that has a name."""
    most = st.slider("Typical patches to label", 1, _MOST, _USUAL, key="cluster_patches")
    if st.button(
        "Make it a label", key="cluster_label", icon=":material/label:", width="stretch", type="primary"
    ):
        with st.spinner("Finding its most typical patches."), errors.in_words(stop=False):
            made = _labels(looked, number, name, most)
            red, green, blue, _ = lens_data.clusters(looked.view, looked.choice.clusters).colours[number]
            colour = f"#{red:02x}{green:02x}{blue:02x}"
            change_labels(
                labels_path(looked.view.store.folder), lambda held: with_labels(held, name, colour, made)
            )
            st.session_state["cluster_made"] = (
                f"{wording.count(len(made), 'patch', 'patches')} of {wording.plain(name)} labelled; labels of this class "
                f"that came from a cluster before are replaced."
            )
    if st.session_state.get("cluster_made"):
        st.success(st.session_state["cluster_made"], icon=":material/check:")
        if st.button(
            "See them on the Label page",
            key="cluster_to_label",
            icon=":material/arrow_forward:",
            width="stretch",
        ):
            st.session_state["store_job"] = looked.view.store.folder.parent.name
            st.switch_page("pages/label.py", query_params={})


def with_labels(held: LabelSet, name: str, colour: str, made: tuple[Label, ...]) -> LabelSet:
    """Labels with those of a cluster, whose class is added unless it is there; the earlier ones of this kind are taken out.

    Raises:
        LabelError: a name that cannot be a class, or too many classes.
    """
    gone = [one.id for one in held.labels if one.class_name == name and one.source == "cluster"]
    found = held.without(gone)
    if name not in {one.name for one in found.classes}:
        is_free = colour not in {one.colour for one in found.classes}
        found = found.with_class(name, colour if is_free else None)
    for label in made:
        found = found.with_label(label)
    return found


def _labels(looked: Looked, number: int, name: str, most: int) -> tuple[Label, ...]:
    tiles, run = looked.view.store.tiles, looked.view.store.folder.parent.name
    clusters = lens_data.clusters(looked.view, looked.choice.clusters)
    made = []
    for row in typical_rows(looked.dated, clusters, number, most):
        tile, down, across = tile_of(tiles, row)
        patch = f"{tile.id}/{down}/{across}"
        made.append(
            Label(name, Point(middle_of(tiles, row)), workspace.name(), now(), "cluster", run, (patch,))
        )
    return tuple(made)
