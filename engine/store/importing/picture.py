"""The picture of embeddings that are looked at before they are used: three components of some tiles as red, green and blue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.imagery.geobox import to_lonlat
from engine.store.schema import TileRows

# About so many pixels along a side; components are fitted on a sample.
SIDE_PX, _FITTED = 540, 4_000
METRES_A_DEG = 111_000.0
_STRETCH = (2.0, 98.0)
# Tiles that fill less than this of the ground around them are drawn side by side, so many of them.
_FILLED, _FILLED_OF_SQUARE = 0.3, 0.02
_MOST_ON_A_SHEET, _WITH_GAP = 36, 1.06


@dataclass(frozen=True)
class Picture:
    """What is drawn.

    Attributes:
        pixels: (h, w, 4) uint8; gaps are transparent.
        shown_m: width and height on the ground.
        is_sheet: whether tiles stand side by side, for they lie far apart.
    """

    pixels: np.ndarray
    shown_m: tuple[float, float]
    is_sheet: bool


def picture_of(rows: list[TileRows]) -> Picture:
    """The tiles on one canvas: of one CRS, or of several by longitude and latitude, in metres at their middle."""
    boxes = _boxes(rows)
    is_sheet = _are_far_apart(boxes)
    if is_sheet:
        rows = rows[:: max(1, len(rows) // _MOST_ON_A_SHEET)][:_MOST_ON_A_SHEET]
        boxes = _side_by_side(rows)
    colours = _colours(rows)
    west, north = float(boxes[:, 0].min()), float(boxes[:, 3].max())
    width_m, height_m = float(boxes[:, 2].max()) - west, north - float(boxes[:, 1].min())
    finest = min(abs(one.tile.patch_transform.a) for one in rows)
    step = max(finest, max(width_m, height_m) / SIDE_PX)
    canvas = np.zeros((max(1, round(height_m / step)), max(1, round(width_m / step)), 4), np.uint8)
    for one, painted, box in zip(rows, colours, boxes.tolist(), strict=True):
        _paint(canvas, one, painted, box, (west, north), step)
    return Picture(canvas, (width_m, height_m), is_sheet)


def _paint(
    canvas: np.ndarray,
    one: TileRows,
    painted: np.ndarray,
    box: Sequence[float],
    corner: tuple[float, float],
    step: float,
) -> None:
    """A tile in its place on a canvas: each pixel takes the patch that its middle lies in.

    Args:
        box: west, south, east, north of the tile.
        corner: west and north of the canvas.
    """
    (left, bottom, right, top), (west, north) = box, corner
    first_row, first_col = round((north - top) / step), round((left - west) / step)
    last_row = min(max(first_row + 1, round((north - bottom) / step)), len(canvas))
    last_col = min(max(first_col + 1, round((right - west) / step)), canvas.shape[1])
    row = (north - (np.arange(first_row, last_row) + 0.5) * step - top) / (bottom - top) * one.tile.h
    col = ((np.arange(first_col, last_col) + 0.5) * step + west - left) / (right - left) * one.tile.w
    rows, cols = np.clip(row.astype(int), 0, one.tile.h - 1), np.clip(col.astype(int), 0, one.tile.w - 1)
    place = canvas[first_row:last_row, first_col:last_col]
    here = painted[np.ix_(rows, cols)]
    place[:] = np.where(here[..., 3:] > 0, here, place)  # a gap hides nothing of a tile of another zone


def _are_far_apart(boxes: np.ndarray) -> bool:
    """Whether tiles would be specks on a map of all: they fill little of the ground around them, and of a square around that."""
    width, height = float(np.ptp(boxes[:, [0, 2]])), float(np.ptp(boxes[:, [1, 3]]))
    filled = float(((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sum())
    return (
        len(boxes) > 1
        and filled < _FILLED * width * height
        and filled < _FILLED_OF_SQUARE * max(width, height) ** 2
    )


def _side_by_side(rows: Sequence[TileRows]) -> np.ndarray:
    """(tiles, 4) boxes of tiles in rows and columns, in metres, with a gap between them."""
    sizes = np.array([bounds_m(one) for one in rows])
    sizes = np.column_stack([sizes[:, 2] - sizes[:, 0], sizes[:, 3] - sizes[:, 1]])
    step = sizes.max(axis=0) * _WITH_GAP
    down, across = np.divmod(np.arange(len(rows)), int(np.ceil(np.sqrt(len(rows)))))
    west, north = across * step[0], -down * step[1]
    return np.column_stack([west, north - sizes[:, 1], west + sizes[:, 0], north])


def _boxes(rows: Sequence[TileRows]) -> np.ndarray:
    """(tiles, 4) west, south, east, north in metres of one map."""
    own = np.array([bounds_m(one) for one in rows])
    zones = np.array([one.tile.crs for one in rows])
    if len(set(zones.tolist())) == 1:
        return own
    found = np.empty_like(own)
    for crs in dict.fromkeys(zones.tolist()):
        here, convert = zones == crs, to_lonlat(crs).transform
        middle_x, middle_y = (own[here, 0] + own[here, 2]) / 2, (own[here, 1] + own[here, 3]) / 2
        west, east = (convert(own[here, side], middle_y)[0] for side in (0, 2))
        south, north = (convert(middle_x, own[here, side])[1] for side in (1, 3))
        found[here] = np.column_stack([west, south, east, north])
    across = METRES_A_DEG * np.cos(np.radians(found[:, [1, 3]].mean()))
    return found * np.array([across, METRES_A_DEG, across, METRES_A_DEG])


def bounds_m(one: TileRows) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in its CRS."""
    west, north = one.tile.pixel_transform @ (0, 0)
    east, south = one.tile.pixel_transform @ (one.tile.width_px, one.tile.height_px)
    return min(west, east), min(south, north), max(west, east), max(south, north)


def _colours(rows: list[TileRows]) -> list[np.ndarray]:
    """(h, w, 4) uint8 a tile: three components, each stretched from its 2nd to its 98th percentile."""
    valid = np.concatenate([one.valid_fraction for one in rows]) > 0
    vectors = np.concatenate([np.asarray(one.embeddings[0], np.float32) for one in rows])
    known = vectors[valid]
    fitted = known[:: max(1, len(known) // _FITTED)].astype(np.float64)
    mean = fitted.mean(axis=0)
    _, _, axes = np.linalg.svd(fitted - mean, full_matrices=False)
    numbers = (vectors - mean.astype(np.float32)) @ axes[:3].T.astype(np.float32)  # (n, up to 3)
    numbers = np.pad(numbers, ((0, 0), (0, 3 - numbers.shape[1])))
    low, high = np.percentile(numbers[valid], _STRETCH, axis=0)
    scaled = np.clip((numbers - low) / np.maximum(high - low, 1e-12), 0, 1) * 255
    every = np.column_stack([scaled, np.where(valid, 255, 0)]).astype(np.uint8)
    ends = np.cumsum([one.tile.rows for one in rows])[:-1]
    return [
        part.reshape(one.tile.h, one.tile.w, 4) for part, one in zip(np.split(every, ends), rows, strict=True)
    ]
