"""A zone of a Zarr store that Emberscope exported as a list of chips: rows of its tiles, in the order of the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from pyproj import CRS

from engine.store.schema import StoredTile


class ChipList:
    """The chips of a zone, open for reading; the chunk that was read last stays in memory, for tiles come in its order."""

    def __init__(self, crs: CRS, embeddings: Any, scales: Any) -> None:
        """Nothing is read yet.

        Args:
            scales: None where numbers are embeddings.
        """
        self.crs, self.scales = crs, scales
        self._embeddings = embeddings
        self._first, self._block = 0, np.empty((0, 0), np.float32)

    @property
    def rows(self) -> int:
        """Chips in all."""
        return int(self._embeddings.shape[0])

    def read(self, first: int, tile: StoredTile) -> np.ndarray:
        """(h, w, D) float32 of a tile whose rows begin there, NaN for gaps."""
        end = first + tile.rows
        if first < self._first or end > self._first + len(self._block):
            side = self._embeddings.chunks[0]
            self._first = first // side * side
            until = -(-end // side) * side
            self._block = self._decoded(self._first, min(until, self.rows))
        rows = self._block[first - self._first : end - self._first]
        return rows.reshape(tile.h, tile.w, -1).copy()

    def _decoded(self, first: int, end: int) -> np.ndarray:
        values = np.asarray(self._embeddings[first:end]).astype(np.float32)
        return values if self.scales is None else values * np.asarray(self.scales[first:end])[:, None]


def first_rows(tiles: Iterable[StoredTile]) -> dict[str, int]:
    """The first row of each tile of a zone."""
    found, count = {}, 0
    for tile in tiles:
        found[tile.id] = count
        count += tile.rows
    return found
