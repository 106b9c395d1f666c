"""The next patch worth a label: found, brought into sight, and its ground seen bare."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st
from shapely import affinity
from shapely.geometry import Polygon

from engine.errors import LabelError
from engine.imagery.geobox import to_lonlat
from engine.labels.clicked.on_store import rows_of, tile_of
from engine.learning.clicked.neighbour_map import uncertainty
from engine.learning.clicked.next_patch import ASKS, Ask, next_patch
from engine.store.store import EmbeddingStore
from pages.ui.label.seen import Seen
from pages.ui.look import errors

# A patch that was jumped to is about so many pixels wide on the map, and never wider than the second.
_SEEN_PX, _MOST_SEEN_PX = 64, 300
_DEGREES_A_PIXEL = 360 / 256  # of a Web Mercator map at zoom 0, on the equator


def offer(seen: Seen, map_key: str) -> None:
    """A button that brings the next patch worth a label into sight."""
    left, right = st.columns([1.4, 1], vertical_alignment="bottom")
    ask: Ask = left.selectbox("Next patch", list(ASKS), key="label_ask", format_func=ASKS.__getitem__)
    if right.button("Jump there", key="label_jump", icon=":material/near_me:", width="stretch"):
        with errors.in_words(stop=False):
            row = _next(seen, ask)
            times = (st.session_state.get(f"{map_key}/goto") or {}).get("time", 0)
            st.session_state[f"{map_key}/goto"] = {
                "time": times + 1,
                "row": row,
                **_sight_of(seen.view.store, row),
            }


def _sight_of(store: EmbeddingStore, row: int) -> dict[str, Any]:
    """Where the map goes to show a patch: its middle, a zoom at which its ground can be judged, and what is seen bare.

    Between zoom 15 and 17, unless the patch would then be larger than the map. The patch and those around it are bare.
    """
    corners = corners_of(store, row)
    west, south, east, north = corners.bounds
    size_px = (north - south) / _DEGREES_A_PIXEL / math.cos(math.radians((south + north) / 2))  # at zoom 0
    zoom = min(max(math.log2(_SEEN_PX / size_px), 15), 17, math.log2(_MOST_SEEN_PX / size_px))
    return {
        "lon": (west + east) / 2, "lat": (south + north) / 2, "zoom": round(2 * zoom) / 2,
        "corners": [[lat, lon] for lon, lat in around(corners, 1.0).exterior.coords],
    }  # fmt: skip


def _next(seen: Seen, ask: Ask) -> int:
    if ask == "unsure" and seen.taught is None:
        raise LabelError(
            "Nothing is learnt yet that could be unsure. Label a patch of each of two classes first, or ask for a patch in a "
            "part of the map without labels."
        )
    reduction = seen.reduction
    numbers = np.array(reduction.numbers())
    rows = (
        np.array([reduction.row_of(one) for one in range(len(numbers))])
        if reduction.header.step > 1
        else np.arange(len(numbers))
    )
    wanted = {tile.id for tile in seen.view.chosen}
    is_seen = np.concatenate([np.full(tile.rows, tile.id in wanted) for tile in seen.view.store.tiles])
    numbers[~is_seen[rows]] = np.nan
    labelled = rows_of(seen.labels, seen.view.store, seen.view.chosen).rows
    own = np.flatnonzero(np.isin(rows, labelled))
    lens, unsure = None, None
    if seen.taught is not None and seen.method == "knn":
        known = np.isfinite(numbers[:, 0])
        unsure = np.full(len(numbers), np.nan)
        unsure[known] = uncertainty(
            seen.taught.classifier.probabilities(seen.view.view.rows(rows[known].tolist()))
        )
    elif seen.taught is not None:
        lens = seen.taught.classifier.lens("uncertainty").reduced(reduction.basis)
    return int(rows[next_patch(numbers, _places(seen.view.store)[rows], own, lens, ask, unsure)])


def _places(store: EmbeddingStore) -> np.ndarray:
    """(rows, 2) of the middle of each patch, degrees."""
    parts = []
    for tile in store.tiles:
        down, across = np.divmod(np.arange(tile.rows), tile.w)
        x, y = tile.patch_transform @ (across + 0.5, down + 0.5)
        parts.append(np.stack(to_lonlat(tile.crs).transform(x, y), axis=1))
    return np.concatenate(parts)


def corners_of(store: EmbeddingStore, row: int) -> Polygon:
    """The patch of a row, lon/lat in degrees."""
    tile, down, across = tile_of(store.tiles, row)
    corners = [(across + dx, down + dy) for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return Polygon([to_lonlat(tile.crs).transform(*(tile.patch_transform @ one)) for one in corners])


def around(patch: Polygon, sides: float) -> Polygon:
    """A patch with a margin, in sides of the patch."""
    return affinity.scale(patch, 1 + 2 * sides, 1 + 2 * sides)
