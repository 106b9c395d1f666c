"""Which tiles lie near others on the ground, in metres, also where their CRSs differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from pyproj import Transformer

from engine.store.schema import StoredTile

# Tiles whose borders are nearer than this share of a pixel touch: grids are kept in float64 metres.
_TOUCH_PX = 0.5


def near(tiles: Sequence[StoredTile], others: Sequence[StoredTile], distance_m: float) -> np.ndarray:
    """Which tiles touch or lie within a distance of any of the others, (N,) bool.

    Args:
        distance_m: between borders, measured in the CRS of each tile; 0: those that touch or overlap.
    """
    found = np.zeros(len(tiles), bool)
    if not others:
        return found
    for crs in dict.fromkeys(tile.crs for tile in tiles):
        own = [index for index, tile in enumerate(tiles) if tile.crs == crs]
        tree = shapely.STRtree([_outline(other, crs) for other in others])
        reach = distance_m + _TOUCH_PX * max(_pixel_m(tiles[index]) for index in own)
        outlines = np.array([_outline(tiles[index], crs) for index in own])
        met = tree.query(outlines, predicate="dwithin", distance=reach)[0]
        found[np.array(own)[np.unique(met)]] = True
    return found


def overlapping(tiles: Sequence[StoredTile], others: Sequence[StoredTile]) -> np.ndarray:
    """Which tiles share ground with any of the others, by more than a pixel along their borders, (N,) bool."""
    found = np.zeros(len(tiles), bool)
    if not others:
        return found
    for crs in dict.fromkeys(tile.crs for tile in tiles):
        own = [index for index, tile in enumerate(tiles) if tile.crs == crs]
        tree = shapely.STRtree([_outline(other, crs) for other in others])
        inner = np.array([_outline(tiles[index], crs).buffer(-_pixel_m(tiles[index])) for index in own])
        found[np.array(own)[np.unique(tree.query(inner, predicate="intersects")[0])]] = True
    return found


def outlines_near(tiles: Sequence[StoredTile], distance_m: float) -> np.ndarray:
    """Pairs of tiles whose borders lie within a distance of each other, (2, N) indices; also across CRSs."""
    found = []
    for crs in dict.fromkeys(tile.crs for tile in tiles):
        own = np.array([index for index, tile in enumerate(tiles) if tile.crs == crs])
        outlines = np.array([_outline(tile, crs) for tile in tiles])
        first, second = shapely.STRtree(outlines).query(
            outlines[own], predicate="dwithin", distance=distance_m
        )
        found.append(np.stack([own[first], second]))
    return np.concatenate(found, axis=1)


def _pixel_m(tile: StoredTile) -> float:
    """Side of a pixel, however the grid is turned."""
    return math.hypot(tile.pixel_transform.a, tile.pixel_transform.d)


def _outline(tile: StoredTile, crs: str) -> shapely.Polygon:
    """The tile's corners in a CRS; empty where the CRS does not reach that far."""
    corners = [(0, 0), (tile.width_px, 0), (tile.width_px, tile.height_px), (0, tile.height_px)]
    x, y = np.array([tile.pixel_transform @ corner for corner in corners]).T
    if tile.crs != crs:
        x, y = Transformer.from_crs(tile.crs, crs, always_xy=True).transform(x, y)
    points = np.column_stack([x, y])
    return shapely.Polygon(points if np.isfinite(points).all() else None)
