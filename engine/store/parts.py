"""The files of a store, in order: each with its tiles and what it says of the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.store.schema import StoredTile, StoreMeta, parse_metadata


class ForeignRows(Protocol):
    """Rows of a part that are read from a file of another form, window by window."""

    def fill(self, column: str, first: int, rows: np.ndarray) -> None:
        """Read consecutive rows into (n, D), from row `first` of the part on.

        Args:
            column: of the layer, as `StoreMeta.columns` names it.

        Raises:
            StoreError, SceneError: the file is damaged, gone or another one.
        """

    def valid_fraction(self) -> np.ndarray:
        """(rows,) float32, 0 or 1: where there is an embedding."""


@dataclass(frozen=True)
class StorePart:
    """One file and the tiles in it, in the order of its rows.

    Attributes:
        path: a Parquet file of the store, or the file that its rows are read from in place.
        foreign: reads the rows of a file that is no part of a store; None for Parquet files of ours.
    """

    path: Path
    tiles: tuple[StoredTile, ...]
    foreign: ForeignRows | None = None

    @property
    def rows(self) -> int:
        """Rows by its own metadata."""
        return sum(tile.rows for tile in self.tiles)


def read_parts(folder: Path) -> list[tuple[StoreMeta, StorePart]]:
    """Parts of a folder in order.

    Raises:
        StoreError: a part is damaged or of another schema.
    """
    found = []
    for path in sorted(folder.glob("part-*.parquet")):
        try:
            raw = pq.read_metadata(path).metadata
        except (OSError, pa.ArrowInvalid) as err:
            raise StoreError(
                f"{path} is damaged ({' '.join(str(err).split())[:80]}). Extract again."
            ) from err
        meta, tiles = parse_metadata(raw, path.name)
        found.append((meta, StorePart(path, tuple(tiles))))
    return found


def state_of(part: StorePart) -> str:
    """Name, size and time of a part as it is now.

    Raises:
        StoreError: it has gone.
    """
    try:
        state = part.path.stat()
    except OSError as err:
        raise StoreError(
            f"The embeddings in {part.path.parent} have gone: {part.path.name} is not there. They were deleted or moved meanwhile. "
            f"Choose another store."
        ) from err
    return f"{part.path.name}:{state.st_size}:{state.st_mtime_ns}"
