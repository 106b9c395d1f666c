"""The parts of the Embeddings page: choice of store and layer, the map, the explained variance, the facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from engine.imagery.scene import Scene
from engine.store.store import EmbeddingStore
from engine.views.layer_view import LayerView
from engine.views.lens.reduction import Reduction
from engine.views.neighbourhood_mean import usual_window
from pages.ui.embeddings import lens_data
from pages.ui.embeddings.lens_views import Looked
from pages.ui.jobs import chosen_run, scene_scores, scenes_below, take
from pages.ui.look import charts, glossary, notices, style, wording
from pages.ui.map import layers, maps, scene_gallery
from pages.ui.map.lens import ShownLens
from pages.ui.map.routes import lens_files
from pages.ui.state import address, bound, cached, results

_NO_BASE = "None"


def choose(
    stores: Sequence[cached.JobFacts], below: Callable[[], object] | None = None
) -> tuple[cached.JobFacts, EmbeddingStore, int]:
    """A store and a layer of it, with what has to be said of the store.

    The store is that of the address, or the one that a person comes from, or the newest.

    Args:
        below: draws what stands below the list of stores.

    Raises:
        StoreError: its files are gone or damaged.
    """
    chosen = chosen_run.choose("Store", stores, "embeddings_store", "store_job", results.store_words)
    if below is not None:
        below()
    store = results.store_of(chosen.job)
    notices.simulated(store.meta.is_simulated)
    notices.random_weights(store.meta.is_random)
    return chosen, store, _choose_layer(store)


def _choose_layer(store: EmbeddingStore) -> int:
    """A layer of the store; no question where there is one."""
    kept = store.meta.layers
    if len(kept) == 1:
        bound.refuse_without_choice("embeddings_layer", str(kept[0]))
        return kept[0]
    chosen = st.segmented_control(
        "Layer",
        kept,
        default=kept[0],
        required=True,
        key="embeddings_layer",
        bind="query-params",
        help=glossary.meaning("layer"),
    )
    return int(chosen if chosen is not None else kept[0])


def choose_window(store: EmbeddingStore) -> int:
    """Over how many patches a colour is averaged; no question where a patch is large already."""
    usual = usual_window(store)
    if usual == 1:
        bound.refuse_without_choice("embeddings_window", "Single patches")
        return 1
    words = {usual: f"{usual} × {usual} patches", 1: "Single patches"}
    if (
        st.session_state.get("embeddings_window") not in words
    ):  # of another layer, whose patches have another size
        st.session_state.pop("embeddings_window", None)
    chosen = st.segmented_control(
        "Colours of", list(words), default=usual, required=True, key="embeddings_window", format_func=words.__getitem__,
        bind="query-params", help=glossary.meaning(
            "patch", "Small patches of a CNN differ most by their texture. Means over their surroundings show the ground."
        ),
    )  # fmt: skip
    return int(chosen if chosen is not None else usual)


def choose_base(chosen: cached.JobFacts) -> tuple[tuple[Scene, ...], str | None]:
    """The scenes that the store was made from, and which of their composites lies below."""
    scenes = scenes_below.of_config(chosen.config.scene)
    options = [*(layers.composites_of(scenes) if scenes else []), _NO_BASE]
    widget = "embeddings_base"
    address.restore("below", widget, options, layers.best_of(scenes) if scenes else _NO_BASE)
    base = st.segmented_control("Below", options, required=True, key=widget)
    address.keep("below", widget)
    return scenes, base if base != _NO_BASE else None


def show_map(
    looked: Looked, chosen: cached.JobFacts, scenes: tuple[Scene, ...], base: str | None, of: str
) -> None:
    """The patches in the colours of a lens, over the imagery."""
    meta = looked.view.store.meta
    shown = ShownLens(
        name="embeddings", of=of, token=lens_files.register(*looked.file), date=looked.date,
        lens=looked.to_browser(), credit=wording.credited(f"{looked.choice.view} of {meta.backbone}, layer {looked.view.layer}", meta.credit),
        title="Embeddings", follows=looked.choice.view == "Similarity", picked=looked.picked,
        hint="Point at the map" if looked.choice.view != "Similarity" else "Point at the map; a click keeps the patch",
    )  # fmt: skip
    told = scene_scores.newest(chosen.config.scene, scenes, looked.view.store.folder)
    below = scene_gallery.with_gallery(layers.imagery(scenes, base), scenes, told) if scenes else []
    maps.draw(
        maps.View(
            page="embeddings", key=map_key(chosen), bounds_lonlat=_opening(scenes, looked.reduction.bounds_lonlat()),
            boxes=layers.boxes_of(scenes), shown=tuple(below), overlay_percent=90, lenses=(shown,),
            keeps_foot=len(scenes) > 1,
        )
    )  # fmt: skip


def map_key(chosen: cached.JobFacts) -> str:
    """Under which the map of a store is known to the session."""
    return f"embeddings_{chosen.job.id}"


def note(looked: Looked, is_of_map: bool = True) -> str:
    """What a legend says of how the picture was made, and how far it can be trusted.

    Args:
        is_of_map: drawn by the browser from some components; else a file from all of them.
    """
    view, reduction = looked.view, looked.reduction
    said = [f"Means over {view.window} × {view.window} patches."] if view.window > 1 else []
    shares = reduction.basis.explained_variance_ratio
    if looked.change is not None:
        found = looked.change.found
        said.append(
            f"From {found.before.title} to {found.after.title}; half of the ground is below {found.percentiles[looked.change.distance][1]:.3g}."
        )
    elif looked.choice.view == "Components":
        shown = 100 * float(shares[list(looked.choice.components)].sum())
        which = "The three show" if len(looked.choice.components) == 3 else "It shows"
        said.append(
            f"Components of another store, {looked.basis}. {which} {shown:.0f} % of the variance there."
            if looked.basis
            else f"{_fitted_on(looked)} {which} {shown:.0f} % of the variance."
        )
    elif looked.norms is not None:
        said.append("Lengths of what is shown; the colours run from their 2nd to their 98th percentile.")
    else:
        kept = 100 * float(shares.sum())
        said.append(
            f"The map has {len(shares)} components with {kept:.1f} % of the variance; exports have all."
        )
    if looked.step > 1 and is_of_map:
        step = looked.step
        said.append(
            f"This store is large: zoomed out, a patch of the map is the mean of {step} × {step}; zoomed in, it is itself."
        )
    if is_of_map:
        said.extend(left_out(reduction))
    return " ".join([*said, *_measured(view)])


def left_out(reduction: Reduction) -> list[str]:
    """That some patches cannot be placed on a web map; nothing where all can."""
    count = reduction.left_out
    return (
        [
            f"{wording.count(count, 'patch', 'patches')} too near to a pole, or of tiles too large for a web map, are left out here; exports have them."
        ]
        if count
        else []
    )


def _fitted_on(looked: Looked) -> str:
    rows = looked.reduction.basis.rows
    if rows < int(looked.view.fitted[0].sum()):
        return f"Fitted on {rows:,} patches, evenly spread over the store."
    return "Fitted on the whole store."


def _measured(view: LayerView) -> list[str]:
    """Position and seams of what is shown."""
    before, left, seams = (
        lens_data.position(view.store, view.layer),
        lens_data.shown_position(view),
        lens_data.shown_seams(view),
    )
    said = []
    if view.position == "remove" and before is not None and left is not None:
        said.append(
            f"Position, which explained {100 * before:.0f} % of the variance, is taken off and explains {100 * left:.0f} % of what is shown."
        )
    elif left is not None:
        said.append(f"Position explains {100 * left:.0f} % of the variance shown.")
    if seams is not None:
        said.append(f"Seam score of what is shown {seams:.2f} (1: no seams).")
    return said


def variance(looked: Looked) -> None:
    """The chart of explained variance."""
    st.subheader("Explained variance", anchor=False)
    if looked.basis:
        st.caption(wording.plain(f"Of {looked.basis}, whose components these are."))
    charts.explained_variance([float(value) for value in looked.reduction.basis.explained_variance_ratio[:3]])


def facts(store: EmbeddingStore, layer: int) -> None:
    """Numbers of the store, at the layer's own patches, and where it lies."""
    meta = store.meta
    st.subheader("Store", anchor=False)
    dim = meta.dims[meta.layers.index(layer)]
    rows = "Tiles" if meta.granularity == "tile" else "Patches"
    style.facts(
        (
            (rows, f"{store.rows:,}"), ("Dimension", f"{dim:,}"), ("Patch", f"{meta.patch_px} px · {meta.patch_px * meta.gsd_m:g} m"),
            ("Layer", str(layer)), ("Size", "read where they lie" if store.is_in_place else wording.megabytes(store.bytes_on_disk / 1e6)), ("Kept as", meta.dtype),
        ),
        small=True,
    )  # fmt: skip
    st.caption(
        f"Weights {meta.weights_sha256[:12] or 'not stated'} · source: {wording.plain(meta.source or 'not stated')}"
    )
    name = store.folder.parent.name if store.folder.name == "store" else store.folder.name
    if store.is_in_place:
        st.caption(
            f"The embeddings lie in {wording.plain(str(store.parts[0].path))}, and the store only says how they are read. Export "
            f"writes files that hold them."
        )
    else:
        words = f"The whole store as a zip · {wording.megabytes(store.bytes_on_disk / 1e6)}"
        take.links([(words, take.folder_zip(store.folder, f"{name}-store.zip"))])
    st.code(str(store.folder), language=None, wrap_lines=True)
    if st.button(
        "Train on this store",
        type="primary",
        key="to_train",
        icon=":material/arrow_forward:",
        width="stretch",
    ):
        st.switch_page("pages/train.py", query_params={})


def _opening(scenes: Sequence[Scene], bounds: maps.Bounds) -> maps.Bounds:
    """The colours, or the first scene where the scenes are specks on a map of all of them."""
    return layers.opening(scenes) if len(scenes) > 1 else bounds
