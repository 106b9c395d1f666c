"""The rows of a GeoParquet file of embeddings, read row group by row group from where the file lies."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.store.parts import StorePart
from engine.store.products.tables.row_groups import rows_in
from engine.store.products.tables.vector_column import vectors
from engine.store.schema import StoredTile, StoreMeta, stored_tile


class TableRows:
    """Some rows of a row group, each a tile; once read they stay in memory, for they are asked for one by one."""

    def __init__(
        self, path: Path, group: int, column: str, inside: np.ndarray, scale: tuple[float, float] | None
    ) -> None:
        """Nothing is read yet.

        Args:
            inside: numbers of the rows in the group.
            scale: of whole numbers, and what is added to their product.
        """
        self._path, self._group, self._column, self._inside = path, group, column, inside
        self._scale = scale
        self._lock = threading.Lock()
        self._vectors: np.ndarray | None = None

    def fill(self, column: str, first: int, rows: np.ndarray) -> None:
        """Read consecutive rows into (n, D); there is one layer.

        Raises:
            StoreError: the file is damaged.
        """
        del column
        with self._lock:
            if self._vectors is None:
                self._vectors = self._read()
            rows[:] = self._vectors[first : first + len(rows)]

    def valid_fraction(self) -> np.ndarray:
        """(rows,) float32: rows without an embedding were left out when the file was opened."""
        return np.ones(len(self._inside), np.float32)

    def _read(self) -> np.ndarray:
        try:
            with pq.ParquetFile(self._path) as file:
                found = rows_in(file, self._group, [self._column], self._inside)
        except (OSError, pa.ArrowException) as err:
            raise StoreError(
                f"{self._path.name} is damaged or gone ({' '.join(str(err).split())[:80]}). Copy or download it again."
            ) from err
        return vectors(found[self._column], self._path.name, self._scale)


def table_parts(path: Path, meta: StoreMeta, told: Mapping[str, Any]) -> tuple[StorePart, ...]:
    """A part a row group.

    Args:
        told: as `table` leaves it in `Taken.in_place`.
    """
    del meta
    numbers = np.array(told["rows"], np.int64)
    tiles: Sequence[StoredTile] = [stored_tile(tile) for tile in told["tiles"]]
    scale = None if told.get("scale") is None else (float(told["scale"][0]), float(told["scale"][1]))
    starts = np.array(told["group_starts"], np.int64)  # of all groups, and the end of the last
    groups = np.searchsorted(starts, numbers, side="right") - 1
    parts = []
    for group in np.unique(groups).tolist():
        here = np.flatnonzero(groups == group)
        rows = TableRows(path, group, told["column"], numbers[here] - starts[group], scale)
        parts.append(StorePart(path, tuple(tiles[index] for index in here.tolist()), rows))
    return tuple(parts)
