"""Which windows see ground of which tiles, where windows overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from engine.imagery.tiles.windows import PlannedTile


def windows_that_see(
    windows: Sequence[PlannedTile], tiles: Sequence[PlannedTile], cell_px: int
) -> list[tuple[int, int]]:
    """Numbers of a window and of a tile of which it sees a row or more, sorted; only those of one CRS and the same scenes.

    Args:
        cell_px: side of a row's ground; a window that only touches a tile sees nothing of it.
    """
    half_m = 0.5 * cell_px * np.array([item.tile.gsd_m for item in windows])
    seen = np.array([item.window.bounds_m for item in windows]).reshape(-1, 4)
    seen += half_m[:, None] * np.array([1, 1, -1, -1])
    ground = np.array([item.tile.bounds_m for item in tiles]).reshape(-1, 4)
    pairs = shapely.STRtree(shapely.box(*ground.T)).query(shapely.box(*seen.T), "intersects")
    return sorted(
        (number, other)
        for number, other in pairs.T.tolist()
        if windows[number].tile.crs == tiles[other].tile.crs and windows[number].scenes == tiles[other].scenes
    )
