"""The map of the Label page: patches through the lens of what was taught, labels on top."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from shapely import affinity
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from engine.errors import LabelError
from engine.imagery.geobox import to_lonlat
from engine.imagery.scene import Scene
from engine.labels.clicked.label_set import Label, LabelSet
from engine.labels.clicked.on_store import LabelledRows, rows_of, tile_of
from engine.learning.clicked.classifier import Method
from engine.learning.clicked.neighbour_map import (
    identity_of,
    neighbour_file,
    neighbour_lens,
    uncertainty,
)
from engine.learning.clicked.next_patch import ASKS, Ask, next_patch
from engine.learning.clicked.taught import Taught
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import DatedView
from engine.views.lens.kinds import components_lens
from engine.views.lens.lens import Kind, Lens, ramp
from engine.views.lens.reduction import Reduction
from pages.ui.label import told
from pages.ui.label.choice import Shown
from pages.ui.look import errors, style, wording
from pages.ui.map import layers, maps, scene_gallery
from pages.ui.map.lens import Picked, ShownLens
from pages.ui.map.routes import lens_files
from pages.ui.map.scene_gallery import Scores

_STOPS = 5
_MOST_OUTLINES = 400
_KEPT = 12
# A patch that was jumped to is about so many pixels wide on the map, and never wider than the second.
_RING = 0.25  # gap between the patch and the ring around it, in sides of the patch
_SEEN_PX, _MOST_SEEN_PX = 64, 300
_DEGREES_A_PIXEL = 360 / 256  # of a Web Mercator map at zoom 0, on the equator


@dataclass(frozen=True)
class Seen:
    """What the map is drawn from.

    Attributes:
        taught: None until two classes have labels.
        date: number of the date among those of the reduction's file; None: all.
    """

    view: DatedView
    reduction: Reduction
    labels: LabelSet
    taught: Taught | None
    shown: Shown
    date: int | None

    @property
    def method(self) -> Method:
        """How it was learnt; logistic regression before it is."""
        return "logistic" if self.taught is None else self.taught.classifier.method

    @property
    def kind(self) -> tuple[Kind, int]:
        """What the map shows of a classifier, and the number of the class whose probability is meant."""
        if self.taught is None or self.shown.show == "Class":
            return "classes", 0
        if self.shown.show == "Where unsure":
            return "uncertainty", 0
        return "probability", [one.name for one in self.taught.classifier.classes].index(self.shown.of)

    @property
    def lens(self) -> Lens:
        """For embeddings; by nearest neighbours for the numbers of `neighbour_file`."""
        if self.taught is None:
            basis = self.reduction.basis
            return components_lens(basis, (0, 1, 2) if len(basis.components) > 2 else (0,))
        if self.method == "knn":
            return neighbour_lens(self.taught, *self.kind)
        return self.taught.classifier.lens(*self.kind)

    def drawn(self) -> tuple[str, int | None, Lens]:
        """The token of what the browser draws, the number of the date in it, and the lens on its numbers."""
        if self.taught is None or self.method != "knn":
            token = lens_files.register(self.reduction.path, self.reduction.header.identity)
            return token, self.date, self.lens.reduced(self.reduction.basis)
        name = identity_of(self.taught, *self.kind)[:16]
        path = self.view.store.folder.parent / "overlays" / f"labels-knn-{name}.bin"
        with st.spinner("Asking the neighbours of every patch."):
            header = neighbour_file(path, self.taught, *self.kind)
        _forget_old(path)
        return lens_files.register(path, header.identity), None, self.lens


def _forget_old(newest: Path) -> None:
    """Keep the files of the last few classifiers only: each label makes another one."""
    found = sorted(newest.parent.glob("labels-knn-*.bin"), key=lambda one: one.stat().st_mtime_ns)
    for old in found[:-_KEPT]:
        old.unlink(missing_ok=True)


def draw(
    seen: Seen,
    map_key: str,
    of: str,
    scenes: tuple[Scene, ...],
    base: str | None,
    bounds: maps.Bounds,
    scores: Scores,
    together: str = "",
) -> None:
    """The map; a click on it is a label.

    Args:
        together: maps of this name look at the same ground and share their pointer; empty: the map is alone.
    """
    meta = seen.view.store.meta
    labelled = rows_of(seen.labels, seen.view.store, seen.view.chosen)
    goto = st.session_state.get(f"{map_key}/goto")
    if goto is not None and goto["row"] in labelled.rows:  # it has its label
        goto = None
    token, date, on_numbers = seen.drawn()
    lens = ShownLens(
        name="label", of=of, token=token, date=date, lens=on_numbers.to_json(), credit=wording.credited(f"Labels on {meta.backbone}, layer {seen.view.view.layer}", meta.credit),
        title="Labels", picked=Picked(serial=told.last_serial(map_key)), hint="A click labels a patch", labels=True, goto=goto,
    )  # fmt: skip
    below = (
        scene_gallery.with_gallery(layers.imagery(scenes, base), scenes, scores) if scenes and base else []
    )
    maps.draw(
        maps.View(
            page="label beside" if "beside" in map_key else "label", key=map_key, bounds_lonlat=bounds, boxes=layers.boxes_of(scenes), shown=tuple(below),
            outlines=_outlines(seen, labelled, goto), overlay_percent=70, lenses=(lens,), keeps_foot=len(scenes) > 1, together=together,
        )
    )  # fmt: skip


def legend(seen: Seen) -> None:
    """What the colours mean."""
    lens = seen.lens
    if seen.taught is None:
        style.legend(
            [],
            "Colours of the principal components. From the first label of a second class on, the map shows classes.",
        )
    elif lens.kind == "classes":
        style.legend(
            [(style.css(one.rgba), wording.plain(one.name)) for one in seen.taught.classifier.classes],
            _trust(seen.taught),
        )
    else:
        colours, steps = ramp(), np.linspace(0, 1, _STOPS)
        entries = [
            (
                style.css(_rgba(colours[round(255 * step)])),
                f"{wording.plain(lens.names[0]) + ' ' if not step else ''}{step:.2g}",
            )
            for step in steps
        ]
        style.legend(entries, _trust(seen.taught))


def accuracy(taught: Taught, title: str = "") -> None:
    """How many labels are right without their own place, and what cannot be said.

    Args:
        title: of the store, where there are two.
    """
    found = taught.accuracy
    if found.share is not None:
        interval = (
            ""
            if found.low is None or found.notes
            else f"; 95 % interval over places {found.low:.0%} to {found.high:.0%}"
        )
        st.markdown(
            f"{wording.plain(title) + ': ' if title else ''}**{found.right} of {wording.count(found.labels, 'label')}** right when their place is left out "
            f"({wording.count(found.places, 'place')}{interval})."
        )
    for note in (*taught.notes, *found.notes):
        st.caption(wording.told(note))


def jump(seen: Seen, map_key: str) -> None:
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
    corners = _corners(store, row)
    west, south, east, north = corners.bounds
    size_px = (north - south) / _DEGREES_A_PIXEL / math.cos(math.radians((south + north) / 2))  # at zoom 0
    zoom = min(max(math.log2(_SEEN_PX / size_px), 15), 17, math.log2(_MOST_SEEN_PX / size_px))
    return {
        "lon": (west + east) / 2, "lat": (south + north) / 2, "zoom": round(2 * zoom) / 2,
        "corners": [[lat, lon] for lon, lat in _around(corners, 1.0).exterior.coords],
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


def _outlines(seen: Seen, labelled: LabelledRows, goto: dict[str, Any] | None) -> tuple[maps.Outline, ...]:
    """The newest labels in the colours of their classes, and the patch that was jumped to."""
    colours = {one.name: one.colour for one in seen.labels.classes}
    first_row = dict(zip(labelled.labels[::-1].tolist(), labelled.rows[::-1].tolist(), strict=True))
    found = []
    for number, label in list(enumerate(seen.labels.labels))[-_MOST_OUTLINES:]:
        if number not in first_row:  # a newer label has its patch, or it lies beside the store
            continue
        ground = _ground(label, seen.view.store, first_row[number])
        found.append(
            maps.Outline(ground, label.class_name, "#ffffff", 6)
        )  # seen also on ground of its own colour
        found.append(maps.Outline(ground, label.class_name, colours[label.class_name], 2.5))
    if goto is not None:
        patch = _corners(seen.view.store, int(goto["row"]))
        found += [
            maps.Outline(_around(patch, _RING), "The next patch to label", colour, weight)
            for colour, weight in (("#ffffff", 6), ("#000000", 2.5))
        ]
    return tuple(found)


def _ground(label: Label, store: EmbeddingStore, row: int) -> BaseGeometry:
    """The patch of a click, or the polygon that was drawn."""
    return label.shape if label.shape.area > 0 else _corners(store, row)


def _corners(store: EmbeddingStore, row: int) -> Polygon:
    tile, down, across = tile_of(store.tiles, row)
    corners = [(across + dx, down + dy) for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return Polygon([to_lonlat(tile.crs).transform(*(tile.patch_transform @ one)) for one in corners])


def _around(patch: Polygon, sides: float) -> Polygon:
    """A patch with a margin, in sides of the patch."""
    return affinity.scale(patch, 1 + 2 * sides, 1 + 2 * sides)


def _trust(taught: Taught) -> str:
    found = taught.accuracy
    share = (
        "" if found.share is None else f"{found.right} of {found.labels} labels right without their place. "
    )
    few = "Too few labels to tell how good the map is. " if found.notes else ""
    used = len(set(taught.labelled.labels.tolist()))
    return f"From {wording.count(used, 'label')}, all classes taken as equally frequent. {share}{few}"


def _rgba(row: np.ndarray) -> tuple[int, int, int, int]:
    red, green, blue, opacity = (int(part) for part in row)
    return red, green, blue, opacity
