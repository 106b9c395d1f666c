"""The parts of the Embeddings page: choice of store and layer, the map, the explained variance, the facts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from engine.imagery.scene import Scene
from engine.store.store import EmbeddingStore
from engine.views.neighbourhood_mean import usual_window
from pages.ui.jobs import chosen_run, scenes_below
from pages.ui.look import charts, palette, style, wording
from pages.ui.map import layers, maps
from pages.ui.state import cached, results

_NO_BASE = "None"


def choose_store(stores: Sequence[cached.JobFacts]) -> cached.JobFacts:
    """One of the extractions: that of the address, or the one that a person comes from, or the newest."""
    return chosen_run.choose("Store", stores, "embeddings_store", "store_job", results.store_words)


def choose_layer(store: EmbeddingStore) -> int:
    """A layer of the store; no question where there is one."""
    kept = store.meta.layers
    if len(kept) == 1:
        return kept[0]
    chosen = st.segmented_control("Layer", kept, default=kept[0], required=True, key="embeddings_layer")
    return int(chosen if chosen is not None else kept[0])


def choose_window(store: EmbeddingStore) -> int:
    """Over how many patches a colour is averaged; no question where a patch is large already."""
    usual = usual_window(store)
    if usual == 1:
        return 1
    words = {usual: f"{usual} × {usual} patches", 1: "Single patches"}
    chosen = st.segmented_control(
        "Colours of", list(words), default=usual, required=True, key="embeddings_window", format_func=words.__getitem__,
        help="Small patches of a CNN differ most by their texture. Means over their surroundings show the ground.",
    )  # fmt: skip
    return int(chosen if chosen is not None else usual)


def choose_base(chosen: cached.JobFacts) -> tuple[tuple[Scene, ...], str | None]:
    """The scenes that the store was made from, and which of their composites lies below."""
    scenes = scenes_below.of_config(chosen.config.scene)
    options = [*(layers.composites_of(scenes) if scenes else []), _NO_BASE]
    base = st.segmented_control("Below", options, default=options[0], required=True, key="embeddings_base")
    return scenes, base if base != _NO_BASE else None


def show_map(
    store: EmbeddingStore,
    layer: int,
    window: int,
    chosen: cached.JobFacts,
    scenes: tuple[Scene, ...],
    base: str | None,
) -> None:
    """The PCA colours over the imagery."""
    with st.spinner("Colouring the whole store by its principal components."):
        path, _ = results.pca_map(store, layer, window)
    credit = f"PCA of {store.meta.backbone}, layer {layer}"
    overlay = layers.colours(path, credit)
    below = layers.imagery(scenes, base) if scenes else []
    maps.draw(
        maps.View(
            page="embeddings", key=f"embeddings_{chosen.job.id}", bounds_lonlat=_opening(scenes, overlay.bounds_lonlat),
            boxes=layers.boxes_of(scenes), shown=(*below, overlay), overlay_percent=90,
        )
    )  # fmt: skip


def legend(store: EmbeddingStore, layer: int, window: int) -> None:
    """What the three colours are, and how much of the variance they show."""
    _, shares = results.pca_map(store, layer, window)
    first = 100 * float(np.sum(shares[:3]))
    of_means = f" (means over {window} × {window} patches)" if window > 1 else ""
    style.legend(
        ((palette.RED, "red: PC 1"), (palette.GREEN, "green: PC 2"), (palette.BLUE, "blue: PC 3")),
        f"Fitted on the whole store{of_means}, stretched from 2 % to 98 %. The three show {first:.0f} % of the variance.",
    )


def variance(store: EmbeddingStore, layer: int, window: int) -> None:
    """The chart of explained variance."""
    with st.spinner("Fitting the principal components on the whole store."):
        _, shares = results.pca_map(store, layer, window)
    st.subheader("Explained variance", anchor=False)
    charts.explained_variance([float(value) for value in shares])


def facts(store: EmbeddingStore, layer: int) -> None:
    """Numbers of the store, and where it lies."""
    meta = store.meta
    st.subheader("Store", anchor=False)
    dim = meta.dims[meta.layers.index(layer)]
    rows = "Tiles" if meta.granularity == "tile" else "Patches"
    style.facts(
        (
            (rows, f"{store.rows:,}"), ("Dimension", f"{dim:,}"), ("Patch", f"{meta.patch_px} px · {meta.patch_px * meta.gsd_m:g} m"),
            ("Layer", str(layer)), ("Size", wording.megabytes(store.bytes_on_disk / 1e6)), ("Kept as", meta.dtype),
        ),
        small=True,
    )  # fmt: skip
    st.caption(f"Weights {meta.weights_sha256[:12]} · source: {wording.plain(meta.source or 'not stated')}")
    st.code(str(store.folder), language=None, wrap_lines=True)
    if st.button(
        "Train on this store",
        type="primary",
        key="to_train",
        icon=":material/arrow_forward:",
        width="stretch",
    ):
        st.switch_page("pages/train.py")


def _opening(scenes: Sequence[Scene], bounds: maps.Bounds) -> maps.Bounds:
    """The colours, or the first scene where the scenes are specks on a map of all of them."""
    return layers.opening(scenes) if len(scenes) > 1 else bounds
