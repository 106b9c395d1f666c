"""The map of the Label page: patches through the lens of what was taught, labels on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from shapely.geometry.base import BaseGeometry

from engine.imagery.scene import Scene
from engine.labels.clicked.label_set import Label
from engine.labels.clicked.on_store import LabelledRows, rows_of
from engine.learning.clicked.taught import Taught
from engine.store.store import EmbeddingStore
from engine.views.lens.lens import ramp
from pages.ui.label import jump, told
from pages.ui.label.seen import Seen
from pages.ui.look import style, wording
from pages.ui.map import layers, maps, scene_gallery
from pages.ui.map.lens import Picked, ShownLens
from pages.ui.map.scene_gallery import Scores

_STOPS = 5
_MOST_OUTLINES = 400
_RING = 0.25  # gap between the patch and the ring around it, in sides of the patch


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
        patch = jump.corners_of(seen.view.store, int(goto["row"]))
        found += [
            maps.Outline(jump.around(patch, _RING), "The next patch to label", colour, weight)
            for colour, weight in (("#ffffff", 6), ("#000000", 2.5))
        ]
    return tuple(found)


def _ground(label: Label, store: EmbeddingStore, row: int) -> BaseGeometry:
    """The patch of a click, or the polygon that was drawn."""
    return label.shape if label.shape.area > 0 else jump.corners_of(store, row)


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
