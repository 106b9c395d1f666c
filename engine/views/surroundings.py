"""A tile with the patches around it, taken from the tiles beside it, so that no mean ends at a tile's border."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import shapely

from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

# Tiles kept for their next neighbour, for neighbours stand near one another in a store.
_KEPT_BYTES = 128_000_000
# Patches that lie off another tile's patches by more than this share of a patch are not its neighbours.
_OFF_GRID = 0.01

ReadTile = Callable[[StoredTile], tuple[np.ndarray, np.ndarray]]
"""Embeddings (h, w, D) and validity (h, w) of a tile."""


class Surroundings:
    """Reads tiles of a store with a rim of patches around them."""

    def __init__(self, store: EmbeddingStore, read: ReadTile, reach: int, tile_bytes: int) -> None:
        """Find out where tiles lie.

        Args:
            read: gives a tile of the store.
            reach: patches of the rim.
            tile_bytes: that one tile takes at most.
        """
        self._tiles, self._reach = store.tiles, reach
        self._read = lru_cache(maxsize=max(4, _KEPT_BYTES // max(tile_bytes, 1)))(read)
        self._trees = {}
        for key in dict.fromkeys(_key(tile) for tile in self._tiles):
            own = [tile for tile in self._tiles if _key(tile) == key]
            self._trees[key] = own, shapely.STRtree(shapely.box(*np.array([_bounds(tile) for tile in own]).T))

    def around(self, tile: StoredTile) -> tuple[np.ndarray, np.ndarray]:
        """(h + 2 reach, w + 2 reach, D) embeddings and (h + 2 reach, w + 2 reach) validity, 0 where there is no tile."""
        reach, (values, valid) = self._reach, self._read(tile)
        rim = np.zeros((tile.h + 2 * reach, tile.w + 2 * reach, values.shape[-1]), values.dtype)
        rim_valid = np.zeros(rim.shape[:2], np.float32)
        for other in self._beside(tile):
            column, row = ~tile.patch_transform @ (other.transform[2], other.transform[5])
            top, left = round(row) + reach, round(column) + reach
            if max(abs(row - round(row)), abs(column - round(column))) > _OFF_GRID:
                continue
            rows, columns = _shared(top, other.h, rim.shape[0]), _shared(left, other.w, rim.shape[1])
            if rows.start >= rows.stop or columns.start >= columns.stop:
                continue
            there = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            own, own_valid = self._read(other)
            rim[rows, columns], rim_valid[rows, columns] = own[there], own_valid[there]
        inner = np.s_[reach : reach + tile.h, reach : reach + tile.w]
        rim[inner], rim_valid[inner] = values, valid
        return rim, rim_valid

    def _beside(self, tile: StoredTile) -> list[StoredTile]:
        """Tiles of the same date that the rim meets."""
        own, tree = self._trees[_key(tile)]
        step = abs(tile.patch_transform.a) * (self._reach + 0.5)
        west, south, east, north = _bounds(tile)
        found = tree.query(shapely.box(west - step, south - step, east + step, north + step))
        return [own[index] for index in sorted(found.tolist()) if own[index] is not tile]


def _shared(first: int, count: int, limit: int) -> slice:
    return slice(max(first, 0), min(first + count, limit))


def _key(tile: StoredTile) -> tuple[object, ...]:
    """What tiles of one grid and date share: CRS, size of a patch, dates."""
    grid = tile.patch_transform
    return tile.crs, round(grid.a, 6), round(grid.e, 6), tile.datetimes


def _bounds(tile: StoredTile) -> tuple[float, float, float, float]:
    west, north = tile.pixel_transform @ (0, 0)
    east, south = tile.pixel_transform @ (tile.width_px, tile.height_px)
    return west, south, east, north
