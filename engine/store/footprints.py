"""Outlines of patches in lon/lat, in the form that a store keeps: WKB polygons and boxes.

Patches on the antimeridian are cut there into two parts (RFC 7946, section 3.1.9), and their boxes have a west beyond
their east (section 5.2); a patch that holds a pole reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely

from engine.imagery.antimeridian import bounds_on_globe, needs_care, on_globe
from engine.imagery.geobox import holds_pole, to_lonlat
from engine.store.schema import StoredTile

# A polygon of one ring of five points in well-known binary, little-endian: byte order, type 3, rings, points, x and y
# (OGC 06-103r4, section 8.2). All are of one size, so that those of a whole part are written at once.
_WKB = np.dtype(
    [("order", "u1"), ("kind", "<u4"), ("rings", "<u4"), ("points", "<u4"), ("corners", "<f8", (5, 2))]
)
WKB_BYTES = _WKB.itemsize


@dataclass(frozen=True)
class Footprints:
    """Outlines of patches, tile after tile, each row-major from the north-west.

    Attributes:
        packed: (N, WKB_BYTES) uint8, a WKB polygon a row; rows of `cut` mean nothing.
        bounds: (N, 4) float64 west, south, east, north; west > east for those on the antimeridian.
        cut: row -> WKB of those that are cut at the antimeridian or hold a pole.
    """

    packed: np.ndarray
    bounds: np.ndarray
    cut: Mapping[int, bytes]

    @property
    def total_bounds(self) -> list[float]:
        """West, south, east, north around all; west > east where they reach over the antimeridian."""
        west, south, east, north = self.bounds.T
        around = [float(west.min()), float(south.min()), float(east.max()), float(north.max())]
        if not (west > east).any():
            return around
        centre = (west + np.where(west > east, east + 360, east)) / 2 % 360  # all near 180
        around[0] = float(west[centre <= 180].min(initial=180.0))
        around[2] = float(east[centre >= 180].max(initial=-180.0))
        return [float(west[west > east].min()) if around[0] == 180.0 else around[0], around[1],
                float(east[west > east].max()) if around[2] == -180.0 else around[2], around[3]]  # fmt: skip

    def wkb(self) -> np.ndarray:
        """(N,) WKB as bytes."""
        return np.array(
            [self.cut.get(row, polygon.tobytes()) for row, polygon in enumerate(self.packed)], object
        )


def footprints(tiles: Sequence[StoredTile]) -> Footprints:
    """Outlines of the patches of some tiles in lon/lat.

    A ring begins and ends in the south-west and runs counterclockwise.
    """
    lonlat = _corners_lonlat(tiles)
    starts = np.cumsum([0, *((tile.h + 1) * (tile.w + 1) for tile in tiles)])
    rings = [start + _rings(tile.h, tile.w) for start, tile in zip(starts[:-1], tiles, strict=True)]
    corners = lonlat[np.concatenate(rings)]  # (N, 5, 2)
    polygons = np.empty(len(corners), _WKB)
    polygons["order"], polygons["kind"], polygons["rings"], polygons["points"] = 1, 3, 1, 5
    polygons["corners"] = corners
    bounds = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    cut = _cut(tiles, corners, bounds)
    return Footprints(polygons.view(np.uint8).reshape(-1, WKB_BYTES), bounds, cut)


def in_batches(tiles: Sequence[StoredTile], rows: int) -> Iterator[list[StoredTile]]:
    """The tiles in their order, some at a time: as many as have so many patches, but one at least."""
    waiting: list[StoredTile] = []
    count = 0
    for tile in tiles:
        if waiting and count + tile.rows > rows:
            yield waiting
            waiting, count = [], 0
        waiting.append(tile)
        count += tile.rows
    if waiting:
        yield waiting


def _cut(tiles: Sequence[StoredTile], corners: np.ndarray, bounds: np.ndarray) -> dict[int, bytes]:
    """WKB of the patches on the antimeridian or around a pole; their bounds are set in place."""
    firsts = np.cumsum([0, *(tile.rows for tile in tiles)])
    found: dict[int, bytes] = {}
    for row in np.flatnonzero(needs_care(corners)).tolist():
        number = int(np.searchsorted(firsts, row, side="right")) - 1
        shape = on_globe(corners[row], _pole_in(tiles[number], row - int(firsts[number])))
        found[row] = shapely.to_wkb(shape)
        bounds[row] = bounds_on_globe(shape)
    return found


def _pole_in(tile: StoredTile, place: int) -> int:
    """1 where a patch of a tile holds the north pole, -1 for the south pole, 0 for neither."""
    row, column = divmod(place, tile.w)
    ring = [tile.patch_transform @ (column + x, row + y) for x, y in ((0, 0), (0, 1), (1, 1), (1, 0))]
    return holds_pole(shapely.Polygon(ring), tile.crs)


def _corners_lonlat(tiles: Sequence[StoredTile]) -> np.ndarray:
    """Corners of the tiles' patches, those of a tile row-major; each CRS is converted at once."""
    metres = [_corners_m(tile) for tile in tiles]
    crs_of = np.repeat(np.array([tile.crs for tile in tiles], object), [len(corners) for corners in metres])
    every = np.concatenate(metres)
    lonlat = np.empty_like(every)
    for crs in dict.fromkeys(tile.crs for tile in tiles):
        own = crs_of == crs
        lonlat[own] = np.column_stack(to_lonlat(crs).transform(*every[own].T))
    return lonlat


def _corners_m(tile: StoredTile) -> np.ndarray:
    """((h + 1) * (w + 1), 2) in the tile's CRS, row-major from the north-west."""
    west, north = tile.transform[2], tile.transform[5]
    step = (tile.transform[0] * tile.width_px / tile.w, tile.transform[4] * tile.height_px / tile.h)
    return _cells(tile.h, tile.w) * np.array(step) + np.array([west, north])


@lru_cache(maxsize=64)
def _cells(h: int, w: int) -> np.ndarray:
    """((h + 1) * (w + 1), 2): column and row of each corner."""
    row, column = np.mgrid[0 : h + 1, 0 : w + 1]
    return np.stack([column, row], axis=-1).reshape(-1, 2).astype(np.float64)


@lru_cache(maxsize=64)
def _rings(h: int, w: int) -> np.ndarray:
    """(h * w, 5): which corners of a tile of h x w patches make each patch's ring."""
    corner = np.arange((h + 1) * (w + 1)).reshape(h + 1, w + 1)
    south_west, south_east = corner[1:, :-1], corner[1:, 1:]
    north_west, north_east = corner[:-1, :-1], corner[:-1, 1:]
    return np.stack([south_west, south_east, north_east, north_west, south_west], axis=-1).reshape(-1, 5)
