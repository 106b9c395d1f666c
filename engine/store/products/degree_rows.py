"""Pixels of a raster in degrees as rows of a store, each a footprint, read from where the raster lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window

from engine.imagery.raster.rasters import damage_told, open_raster
from engine.store.parts import StorePart
from engine.store.schema import StoreMeta, stored_tile

# Rows of the raster whose pixels are read together.
_BLOCK_ROWS = 16


class DegreeRows:
    """Some pixels of neighbouring rows of a raster, in the order of the file."""

    def __init__(self, path: Path, rows: np.ndarray, columns: np.ndarray) -> None:
        """Nothing is read yet."""
        self._path, self._rows, self._columns = path, rows, columns

    def fill(self, column: str, first: int, rows: np.ndarray) -> None:
        """Read consecutive pixels into (n, D).

        Raises:
            SceneError: the raster is damaged or gone.
        """
        del column
        here = slice(first, first + len(rows))
        down, across = self._rows[here], self._columns[here]
        window = Window(across.min(), down.min(), np.ptp(across) + 1, np.ptp(down) + 1)
        with open_raster(self._path) as dataset, damage_told(self._path, "the embeddings"):
            values = dataset.read(window=window)
        rows[:] = values[:, down - down.min(), across - across.min()].T

    def valid_fraction(self) -> np.ndarray:
        """(rows,) float32: pixels without an embedding were left out when the file was opened."""
        return np.ones(len(self._rows), np.float32)


def degree_parts(path: Path, meta: StoreMeta, told: Mapping[str, Any]) -> tuple[StorePart, ...]:
    """A part a block of rows.

    Args:
        told: as `degree_grid` leaves it in `Taken.in_place`.
    """
    del meta
    rows, columns = np.divmod(np.array(told["rows"], np.int64), int(told["width"]))
    tiles = [stored_tile(tile) for tile in told["tiles"]]
    blocks, parts = rows // _BLOCK_ROWS, []
    for block in np.unique(blocks).tolist():
        here = np.flatnonzero(blocks == block)
        own = tuple(tiles[index] for index in here.tolist())
        parts.append(StorePart(path, own, DegreeRows(path, rows[here], columns[here])))
    return tuple(parts)
