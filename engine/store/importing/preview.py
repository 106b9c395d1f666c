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
from engine.store.importing.picture import METRES_A_DEG, SIDE_PX, bounds_m, picture_of
from engine.store.products.understood import MOST_ROWS, Understood
from engine.store.schema import TileRows

# The picture is of so many rows or tiles.
_MOST_ROWS, _MOST_TILES = 1_200_000, 20_000
_MOST_STEP = 8
_MIDDLE_M, _MIDDLE_ROWS = 10_000.0, 20_000
_MOST_MIDDLE_M = 110_000.0  # a region is one of at most 15,000 square kilometres


@dataclass(frozen=True)
class Preview:
    """What is seen of a file before it is used.

    Attributes:
        is_readable_in_place: whether it can be left where it is.
        pixels: (h, w, 4) uint8, the first three components as red, green and blue; gaps are transparent.
        shown_m: width and height on the ground of the picture.
        is_middle: whether it shows a part only, such as the middle.
        is_sheet: whether tiles that lie far apart are drawn side by side.
        middle_lonlat: of a tile with embeddings, the nearest one to the middle of the file that is shown.
    """

    understood: Understood
    is_readable_in_place: bool
    pixels: np.ndarray
    shown_m: tuple[float, float]
    is_middle: bool
    middle_lonlat: tuple[float, float]
    is_sheet: bool = False


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
    drawn = picture_of(rows)
    return Preview(
        told, can_stay, drawn.pixels, drawn.shown_m, is_middle, _nearest_to_middle(rows, told), drawn.is_sheet
    )


def middle_m(told: Understood) -> float:
    """Side of a square around the middle that makes a store of a good size, metres.

    A square of ten kilometres of AlphaEarth is a million embeddings, which a browser draws at once; of footprints it is one with
    about twenty thousand, were they spread evenly.
    """
    west, south, east, north = told.bounds_lonlat
    if told.most_rows >= MOST_ROWS:
        return _MIDDLE_M
    area = (east - west) * (north - south) * METRES_A_DEG**2 * np.cos(np.radians((south + north) / 2))
    side_m = float(np.sqrt(max(0.0, area) * min(1.0, _MIDDLE_ROWS / told.rows)))
    return min(max(_MIDDLE_M, side_m), _MOST_MIDDLE_M)


def middle_of(told: Understood, side_m: float, at: tuple[float, float] | None = None) -> Region:
    """A square around the middle of a file, or around another place of it in degrees."""
    west, south, east, north = told.bounds_lonlat
    lon, lat = at or ((west + east) / 2, (south + north) / 2)
    half_lat = side_m / 2 / METRES_A_DEG
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
    west, south, east, north = bounds_m(one)
    return (west + east) / 2, (south + north) / 2


def _thinned(tiles: Iterator[TileRows], rows: int) -> list[TileRows]:
    """The tiles as they come, of each so many rows and columns that all of them make a picture; at most as many as one has."""
    step, taken, count = 1, [], 0
    while rows**0.5 / step > SIDE_PX and step < _MOST_STEP:
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
