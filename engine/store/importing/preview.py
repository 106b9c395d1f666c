"""A file of embeddings looked at before it is used: what it is understood to be, and a picture of a part of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from engine.errors import OnlyGaps, RegionError
from engine.imagery.geobox import to_lonlat
from engine.imagery.region import Region
from engine.store.importing.forms import opened, with_model
from engine.store.products.understood import MOST_ROWS, Understood
from engine.store.schema import TileRows

# The picture: about so many pixels along a side, of so many rows or tiles; components are fitted on a sample.
_SIDE_PX, _MOST_ROWS, _MOST_TILES, _FITTED = 540, 1_200_000, 20_000, 4_000
_MOST_STEP = 8
_METRES_A_DEG, _MIDDLE_M, _MIDDLE_ROWS = 111_000.0, 10_000.0, 20_000
_MOST_MIDDLE_M = 110_000.0  # a region is one of at most 15,000 square kilometres
_STRETCH = (2.0, 98.0)


@dataclass(frozen=True)
class Preview:
    """What is seen of a file before it is used.

    Attributes:
        is_readable_in_place: whether it can be left where it is.
        pixels: (h, w, 4) uint8, the first three components as red, green and blue; gaps are transparent.
        shown_m: width and height on the ground of the picture.
        is_middle: whether it shows a part only, such as the middle.
        middle_lonlat: of a tile with embeddings, the nearest one to the middle of the file that is shown.
    """

    understood: Understood
    is_readable_in_place: bool
    pixels: np.ndarray
    shown_m: tuple[float, float]
    is_middle: bool
    middle_lonlat: tuple[float, float]


def preview(
    path: Path, region: Region | None, model: str | None, images: Path | None, year: int | None = None
) -> Preview:
    """What a file is understood to be, and a picture of the middle of it or of a region.

    Raises:
        BadInput: the file or its numbers cannot be used.
    """
    with opened(path, region, images, year, model) as found:
        told = with_model(found.understood, model)
        can_stay = bool(found.in_place)
        is_whole, are_footprints = told.rows <= _MOST_ROWS, told.most_rows < MOST_ROWS
        rows = _thinned(found.tiles(), told.rows) if is_whole or are_footprints else []
        is_middle = not is_whole or told.rows > told.most_rows
    if not rows:
        rows = _of_middle(path, told, region, model, images, year)
    pixels, shown = _picture(rows)
    return Preview(told, can_stay, pixels, shown, is_middle, _nearest_to_middle(rows, told))


def middle_m(told: Understood) -> float:
    """Side of a square around the middle that makes a store of a good size, metres.

    A square of ten kilometres of AlphaEarth is a million embeddings, which a browser draws at once; of footprints it is one with
    about twenty thousand, were they spread evenly.
    """
    west, south, east, north = told.bounds_lonlat
    if told.most_rows >= MOST_ROWS:
        return _MIDDLE_M
    area = (east - west) * (north - south) * _METRES_A_DEG**2 * np.cos(np.radians((south + north) / 2))
    side_m = float(np.sqrt(max(0.0, area) * min(1.0, _MIDDLE_ROWS / told.rows)))
    return min(max(_MIDDLE_M, side_m), _MOST_MIDDLE_M)


def middle_of(told: Understood, side_m: float, at: tuple[float, float] | None = None) -> Region:
    """A square around the middle of a file, or around another place of it in degrees."""
    west, south, east, north = told.bounds_lonlat
    lon, lat = at or ((west + east) / 2, (south + north) / 2)
    half_lat = side_m / 2 / _METRES_A_DEG
    half_lon = half_lat / max(np.cos(np.radians(lat)), 0.01)
    return Region.from_bounds(
        max(west, lon - half_lon), max(south, lat - half_lat), min(east, lon + half_lon), min(north, lat + half_lat)
    )  # fmt: skip


def _of_middle(
    path: Path,
    told: Understood,
    region: Region | None,
    model: str | None,
    images: Path | None,
    year: int | None,
) -> list[TileRows]:
    """Tiles of the middle, as large as the picture has pixels; the first ones where the middle holds nothing."""
    try:
        middle = middle_of(told, told.gsd_m * _MOST_ROWS**0.5)
        with opened(path, middle, images, year, model) as found:
            rows = _thinned(found.tiles(), _MOST_ROWS)
    except (RegionError, OnlyGaps):
        rows = []
    if not rows:
        with opened(path, region, images, year, model) as found:
            rows = _thinned(found.tiles(), _MOST_ROWS)
    return rows


def _nearest_to_middle(rows: Sequence[TileRows], told: Understood) -> tuple[float, float]:
    """Longitude and latitude of the middle of a tile."""
    west, south, east, north = told.bounds_lonlat
    lonlat = np.array([to_lonlat(one.tile.crs).transform(*_centre(one)) for one in rows])
    off = np.hypot(*(lonlat - [(west + east) / 2, (south + north) / 2]).T)
    lon, lat = lonlat[int(off.argmin())].tolist()
    return lon, lat


def _centre(one: TileRows) -> tuple[float, float]:
    west, south, east, north = _bounds(one)
    return (west + east) / 2, (south + north) / 2


def _thinned(tiles: Iterator[TileRows], rows: int) -> list[TileRows]:
    """The tiles as they come, of each so many rows and columns that all of them make a picture; at most as many as one has."""
    step, taken, count = 1, [], 0
    while rows**0.5 / step > _SIDE_PX and step < _MOST_STEP:
        step *= 2
    for one in islice(tiles, _MOST_TILES):
        taken.append(_every(one, step))
        count += one.tile.rows
        if count >= _MOST_ROWS:
            break
    return taken


def _every(one: TileRows, step: int) -> TileRows:
    """Every so many rows and columns of a tile; a tile is a power of two wide, but at the edge of a file."""
    if step == 1 or one.tile.h == 1:
        return one
    h, w = one.tile.h, one.tile.w
    values = one.embeddings[0].reshape(h, w, -1)[::step, ::step]
    valid = one.valid_fraction.reshape(h, w)[::step, ::step]
    tile = replace(one.tile, h=values.shape[0], w=values.shape[1])
    return TileRows(tile, (values.reshape(tile.rows, -1).copy(),), valid.ravel().copy())


def _picture(rows: list[TileRows]) -> tuple[np.ndarray, tuple[float, float]]:
    """The tiles on one canvas: of one CRS, or of several by longitude and latitude, in metres at their middle."""
    colours, boxes = _colours(rows), _boxes(rows)
    west, north = float(boxes[:, 0].min()), float(boxes[:, 3].max())
    width_m, height_m = float(boxes[:, 2].max()) - west, north - float(boxes[:, 1].min())
    finest = min(abs(one.tile.patch_transform.a) for one in rows)
    step = max(finest, max(width_m, height_m) / _SIDE_PX)
    canvas = np.zeros((max(1, round(height_m / step)), max(1, round(width_m / step)), 4), np.uint8)
    for one, painted, box in zip(rows, colours, boxes.tolist(), strict=True):
        _paint(canvas, one, painted, box, (west, north), step)
    return canvas, (width_m, height_m)


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


def _boxes(rows: Sequence[TileRows]) -> np.ndarray:
    """(tiles, 4) west, south, east, north in metres of one map."""
    own = np.array([_bounds(one) for one in rows])
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
    across = _METRES_A_DEG * np.cos(np.radians(found[:, [1, 3]].mean()))
    return found * np.array([across, _METRES_A_DEG, across, _METRES_A_DEG])


def _bounds(one: TileRows) -> tuple[float, float, float, float]:
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
