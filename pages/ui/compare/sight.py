"""The maps of the Compare page: side by side or under a swipe, with one pointer and one view for all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from shapely.geometry.base import BaseGeometry

from engine.errors import EngineError
from engine.views.comparing.aligned_colours import AlignedColours
from engine.views.comparing.dated_view import DatedView
from engine.views.comparing.shared_ground import SharedGround
from engine.views.lens.kinds import components_lens
from engine.views.lens.lens import Lens, ramp
from engine.views.lens.reduction import Reduction
from pages.ui.compare.choice import Slot
from pages.ui.jobs import scenes_below
from pages.ui.look.palette import EMBER
from pages.ui.look.wording import credited, plain
from pages.ui.map import layers, maps
from pages.ui.map.lens import Picked, ShownLens, picked
from pages.ui.map.routes import lens_files
from pages.ui.state import cached

ALIGNED, RAW, SIMILAR = "Aligned colours", "Raw colours", "Similarity"
SHOWN = {
    ALIGNED: "The components of each store turned onto those of the first: the same colour means the same.",
    RAW: "The first three components of each store by itself: colours of different maps have nothing to do with each other.",
    SIMILAR: "How much each patch of each store is like the one at the same spot. Point at a map; a click keeps the spot.",
}


@dataclass(frozen=True)
class Seen:
    """One store as its map shows it."""

    slot: Slot
    view: DatedView
    reduction: Reduction
    colours: AlignedColours


def opening(seen: Sequence[Seen], ground: SharedGround) -> maps.Bounds:
    """What all maps open on: the narrowest of the stores, or one scene that all share where the scenes lie far apart."""
    boxes = [one.reduction.bounds_lonlat() for one in seen]
    base = seen[ground.coarsest]
    names = {name for number in np.unique(ground.tiles) for name in base.view.chosen[number].scene_ids}
    try:
        shared = [scene for scene in cached.scenes(base.slot.facts.config.scene) if scene.id in names]
        boxes += [layers.opening(shared)] if shared else []
    except EngineError:  # beside each map it is said why there is no imagery
        pass
    return min(boxes, key=lambda box: box[2] - box[0])


def draw(
    seen: Sequence[Seen], shown: str, is_swiped: bool, marked: BaseGeometry | None, home: maps.Bounds
) -> None:
    """The maps.

    Args:
        shown: one of `SHOWN`.
        is_swiped: the first two under a swipe, on one map.
        marked: ground that was selected elsewhere, in lon/lat.
        home: what the maps open on.
    """
    channel = str(st.session_state.setdefault("compare_channel", uuid.uuid4().hex))
    if is_swiped:
        first, second = seen[0], seen[1]
        st.markdown(f"**{plain(first.slot.title)}** on the left, **{plain(second.slot.title)}** on the right")
        lenses = (_lens(first, shown, "left"), _lens(second, shown, "right"))
        words = f"From {first.slot.title} to {second.slot.title}"
        _map("swipe", first, lenses, marked, channel, words, home)
        return
    for column, one in zip(
        st.columns(len(seen)) if len(seen) < 4 else [*st.columns(2), *st.columns(2)], seen, strict=True
    ):
        with column:
            st.markdown(f"**{one.slot.number + 1}** · {plain(one.slot.title)}")
            _map(
                str(one.slot.number),
                one,
                (_lens(one, shown, "overlay"),),
                marked,
                channel,
                "",
                home,
            )


def picked_on(slot: Slot, is_swiped: bool) -> Picked | None:
    """What a person picked on the map of a store."""
    return picked(_map_key("swipe" if is_swiped else str(slot.number)), _of(slot))


def _map(
    name: str, one: Seen, lenses: tuple[ShownLens, ...], marked: BaseGeometry | None, channel: str, swipe: str,
    home: maps.Bounds,
) -> None:  # fmt: skip
    scenes = scenes_below.of_config(one.slot.facts.config.scene)
    below = layers.imagery(scenes, layers.best_of(scenes)) if scenes else []
    outlines = () if marked is None else (maps.Outline(marked, "selected in the scatter", EMBER, 2.0),)
    maps.draw(
        maps.View(
            page=f"compare {name}", key=_map_key(name), bounds_lonlat=home, shown=tuple(below),
            boxes=tuple(layers.boxes_of(scenes)) or (one.reduction.bounds_lonlat(),), lenses=lenses, outlines=outlines, together=channel, swipe=swipe, overlay_percent=100,
        )
    )  # fmt: skip


def _map_key(name: str) -> str:
    return f"compare_map_{name}"


def _of(slot: Slot) -> str:
    """What picked patches belong to."""
    return f"compare {slot.facts.job.id} {slot.layer} {slot.date} {slot.position}"


def _lens(one: Seen, shown: str, pane: str) -> ShownLens:
    meta, reduction = one.slot.store.meta, one.reduction
    return ShownLens(
        name=f"compare {pane}", of=_of(one.slot), token=lens_files.register(reduction.path, reduction.header.identity),
        lens=_for_browser(one, shown), credit=credited(f"{shown} of {meta.backbone}, layer {one.slot.layer}", meta.credit),
        title=one.slot.title, follows=shown == SIMILAR, hint="Point at the map", date=_date_number(one), pane=pane,
    )  # fmt: skip


def _for_browser(one: Seen, shown: str) -> dict[str, Any]:
    """The lens on the components of the file."""
    basis = one.reduction.basis
    colours = one.colours.pca if shown != RAW else basis
    first = components_lens(colours, (0, 1, 2)).reduced(basis).to_json()
    if shown != SIMILAR:
        return first
    zero, count = np.zeros(1), len(basis.components)
    nothing = Lens(
        "ramp", np.zeros((1, count)), np.zeros(count), zero, zero, np.ones(1), ramp(), is_unit=True, names=("similarity",)
    )  # fmt: skip
    return {**nothing.to_json(), "idle": first}


def _date_number(one: Seen) -> int | None:
    """Number of the one date that is shown; None where all tiles are."""
    dates = {tile.datetimes[-1] or "" for tile in one.view.chosen}
    if one.slot.date is None or len(dates) != 1:
        return None
    return one.reduction.header.dates.index(dates.pop())
