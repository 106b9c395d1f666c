"""Outlines of patches in lon/lat, in the form that a store keeps: WKB polygons and boxes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from engine.imagery.grid import to_lonlat
from engine.store.schema import StoredTile

# A polygon of one ring of five points in well-known binary, little-endian: byte order, type 3, rings, points, x and y
# (OGC 06-103r4, section 8.2). All are of one size, so that those of a whole part are written at once.
_WKB = np.dtype(
    [("order", "u1"), ("kind", "<u4"), ("rings", "<u4"), ("points", "<u4"), ("corners", "<f8", (5, 2))]
)
WKB_BYTES = _WKB.itemsize


def footprints(tile: StoredTile) -> tuple[np.ndarray, np.ndarray]:
    """Outlines of a tile's patches in lon/lat.

    Returns:
        (h * w,) WKB polygons and (h * w, 4) float64 west, south, east, north, row-major from the north-west.
    """
    packed, bounds = packed_footprints([tile])
    return np.array([polygon.tobytes() for polygon in packed], dtype=object), bounds


def packed_footprints(tiles: Sequence[StoredTile]) -> tuple[np.ndarray, np.ndarray]:
    """Outlines of the patches of some tiles in lon/lat, tile after tile, each row-major from the north-west.

    A ring begins and ends in the south-west and runs counterclockwise.

    Returns:
        (N, WKB_BYTES) uint8, a WKB polygon a row, and (N, 4) float64 west, south, east, north.
    """
    lonlat = _corners_lonlat(tiles)
    starts = np.cumsum([0, *((tile.h + 1) * (tile.w + 1) for tile in tiles)])
    rings = [start + _rings(tile.h, tile.w) for start, tile in zip(starts[:-1], tiles, strict=True)]
    corners = lonlat[np.concatenate(rings)]  # (N, 5, 2)
    polygons = np.empty(len(corners), _WKB)
    polygons["order"], polygons["kind"], polygons["rings"], polygons["points"] = 1, 3, 1, 5
    polygons["corners"] = corners
    bounds = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return polygons.view(np.uint8).reshape(-1, WKB_BYTES), bounds


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
