"""Pixels beyond the end of a scene, mirrored for the encoder: it would tell of an edge that is not in the ground."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry import box

from engine.imagery.chip import Chip
from engine.imagery.grid import Tile
from engine.imagery.scene import Scene
from engine.imagery.tiles.windows import PlannedTile


def mirrored(chip: Chip, planned: PlannedTile) -> Chip:
    """A window's pixels with those beyond its scenes mirrored at the scenes' edge; gaps inside stay gaps.

    Mirrored pixels count as valid where what they mirror is. Of scenes that fill one another's gaps the rectangle
    around all of them counts.

    Args:
        chip: of the planned window.
    """
    if chip.valid.all():
        return chip
    stored, valid = chip.stored, chip.valid
    for number, scene in enumerate(planned.scenes):
        around = (scene, *planned.fills)
        rows, columns = sources(planned.window, around)
        if _are_in_place(rows) and _are_in_place(columns):
            continue
        if stored is chip.stored:
            stored, valid = stored.copy(), valid.copy()
        takes = ~valid[number] & (
            (rows != np.arange(len(rows)))[:, None] | (columns != np.arange(len(columns)))
        )
        at = np.ix_(rows, columns)
        stored[number] = np.where(takes, stored[number][:, *at], stored[number])
        valid[number] = np.where(takes, valid[number][at], valid[number])
    return chip if stored is chip.stored else dataclasses.replace(chip, stored=stored, valid=valid)


def sources(window: Tile, scenes: Sequence[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """From which row and which column each row and column of a window takes its pixels, (H,) and (W,).

    Args:
        scenes: those of the window's CRS count.
    """
    boxes = [box(*scene.bounds_m) for scene in scenes if scene.crs == window.crs]
    ground = shapely.union_all(boxes).intersection(box(*window.bounds_m))
    if ground.is_empty:
        return np.arange(window.height), np.arange(window.width)
    west, south, east, north = ground.bounds
    (left, top), (right, bottom) = ~window.transform @ (west, north), ~window.transform @ (east, south)
    return _reflected(top, bottom, window.height), _reflected(left, right, window.width)


def _reflected(begins: float, ends: float, count: int) -> np.ndarray:
    """(count,) places, those whose middle lies outside of `begins` to `ends` mirrored into it, the edge itself twice."""
    first, end = max(0, round(begins)), min(count, round(ends))
    if end <= first:
        return np.arange(count)
    return np.pad(np.arange(first, end), (first, count - end), mode="symmetric")


def _are_in_place(places: np.ndarray) -> bool:
    return bool((places == np.arange(len(places))).all())
