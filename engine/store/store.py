"""The embedding store, opened for reading: a folder of GeoParquet parts, one row a patch; or a file read where it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from io import FileIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.store.cells import cells_along_side, finer_shares, finer_tile, spread, unfolded
from engine.store.parts import StorePart, read_parts, state_of
from engine.store.plain_pages import PlainValues, find_plain_values
from engine.store.schema import CELL_FRACTION, StoredTile, StoreMeta

# Parts read at once when all of a store is read: two already use what memory gives.
_READERS = 2
UNFINISHED = "store.unfinished"
FINISHED = "store"
# What an encoder has drawn from the scenes of the run: readers of Parquet pass over names that begin like this.
ENCODER = "_encoder.safetensors"
# In the place of parts: what the file is whose embeddings are read where they lie.
REFERENCE = "reference.json"


@dataclass(frozen=True)
class EmbeddingStore:
    """A finished store, opened for reading; nothing is loaded before it is asked for.

    Attributes:
        cells: patches along a side of a row of the files: more than 1 as `at_own_patches` gives a finer layer, whose
            tiles, rows and numbers are then of its own patches.
    """

    folder: Path
    meta: StoreMeta
    parts: tuple[StorePart, ...]
    cells: int = 1

    @classmethod
    def open(cls, folder: Path) -> EmbeddingStore:
        """The store in a folder, or in the run folder that holds it.

        Raises:
            StoreError: absent, unfinished, unreadable or of another schema.
        """
        if (folder / FINISHED).is_dir():
            folder = folder / FINISHED
        if not folder.is_dir() or folder.name == UNFINISHED or (folder / UNFINISHED).is_dir():
            is_there = folder.name == UNFINISHED or (folder / UNFINISHED).is_dir()
            raise StoreError(
                f"The embedding store at {folder} is unfinished. Resume its extraction."
                if is_there
                else f"{folder} is no embedding store. Give the folder of one, or run its extraction."
            )
        if (folder / REFERENCE).is_file():
            from engine.store.products.in_place import open_in_place  # with GDAL, not for every store

            return cls(folder, *open_in_place(folder / REFERENCE))
        parts = read_parts(folder)
        if not parts:
            raise StoreError(
                f"{folder} is no embedding store: it holds no part-*.parquet. Give the folder of one."
            )
        metas = [meta for meta, _ in parts]
        if any(meta != metas[0] for meta in metas):
            raise StoreError(f"{folder} holds parts of several extractions. Keep one folder a run.")
        return cls(folder, metas[0], tuple(part for _, part in parts))

    def at_own_patches(self, layer: int) -> EmbeddingStore:
        """The same with one layer alone, at its own resolution, where it is finer than the rows; else the store itself.

        Args:
            layer: as counted by the backbone, one that the store keeps.
        """
        cells = cells_along_side(self.meta, layer)
        if cells == 1:
            return self
        if layer not in self._finer:
            index = self.meta.layers.index(layer)
            meta = replace(
                self.meta, layers=(layer,), columns=(self.meta.columns[index],), cells=(),
                dims=(self.meta.dims[index] // cells**2,), patch_px=self.meta.patch_px // cells,
            )  # fmt: skip
            parts = tuple(
                StorePart(part.path, tuple(finer_tile(tile, cells) for tile in part.tiles), part.foreign)
                for part in self.parts
            )
            self._finer[layer] = EmbeddingStore(self.folder, meta, parts, cells)
        return self._finer[layer]

    @cached_property
    def _finer(self) -> dict[int, EmbeddingStore]:
        """Layers at their own patches, once they were asked for."""
        return {}

    @cached_property
    def tiles(self) -> tuple[StoredTile, ...]:
        """All tiles in the order of the rows."""
        return tuple(tile for part in self.parts for tile in part.tiles)

    @property
    def rows(self) -> int:
        """Rows in all: patches, or tiles."""
        return sum(part.rows for part in self.parts)

    @property
    def bytes_on_disk(self) -> int:
        """Bytes of all parts; in place, of the file that names where they are."""
        paths = [self.folder / REFERENCE] if self.is_in_place else [part.path for part in self.parts]
        return sum(path.stat().st_size for path in paths)

    @property
    def is_in_place(self) -> bool:
        """Whether embeddings are read from the file of whoever made them."""
        return any(part.foreign is not None for part in self.parts)

    @property
    def states(self) -> list[str]:
        """Name, size and time of each part as it is now.

        Raises:
            StoreError: a part has gone.
        """
        return [state_of(part) for part in self.parts]

    def column(self, layer: int | None = None) -> str:
        """Column of a layer (as counted by the backbone); None: the first.

        Raises:
            StoreError: the store does not keep this layer.
        """
        if layer is None:
            return self.meta.columns[0]
        if layer not in self.meta.layers:
            stored = ", ".join(map(str, self.meta.layers))
            raise StoreError(
                f"{self.folder} does not hold layer {layer}; it holds layers {stored}. Extract that layer, or use one of these."
            )
        return self.meta.columns[self.meta.layers.index(layer)]

    def read(self, layer: int | None = None) -> np.ndarray:
        """All embeddings of a layer, (rows, D) in the store's dtype, in the order of `tiles`."""
        column = self.column(layer)
        values = np.empty((self.rows, self._dim(column)), dtype=self.meta.dtype)
        ends = np.cumsum([part.rows for part in self.parts])
        blocks = [values[end - part.rows : end] for part, end in zip(self.parts, ends, strict=True)]
        with ThreadPoolExecutor(_READERS) as pool:
            list(pool.map(lambda part, block: self._read_part(part, column, block), self.parts, blocks))
        return values

    def _read_part(self, part: StorePart, column: str, block: np.ndarray) -> None:
        """All rows of a part into (n, D), in the order of its tiles."""
        self._fill(part, column, 0, block)
        first = 0
        for tile in part.tiles if self.cells > 1 else ():
            rows = block[first : first + tile.rows]
            rows[:] = unfolded(rows, tile, self.cells).reshape(rows.shape)
            first += tile.rows

    def read_valid_fraction(self) -> np.ndarray:
        """(rows,) float32, 0 to 1."""
        return np.concatenate([self._valid(part) for part in self.parts])

    def read_window_fraction(self) -> np.ndarray | None:
        """(rows,) float32, 0 to 1: which part of the window behind each row was valid; None where it is not stored."""
        if self.is_in_place or not self.meta.has_window_fraction:
            return None
        columns = [
            self._file(part).read(columns=["window_fraction"])["window_fraction"] for part in self.parts
        ]
        return spread(_plain_numbers(columns), self.tiles, self.cells)

    def _valid(self, part: StorePart) -> np.ndarray:
        """(rows of a part,) which share of each row's ground is valid; of a finer layer's patches where the store says it."""
        if part.foreign is not None:
            return spread(part.foreign.valid_fraction(), part.tiles, self.cells)
        file = self._file(part)
        if self.cells > 1 and CELL_FRACTION in file.schema_arrow.names:
            shares = _matrix(file.read(columns=[CELL_FRACTION])[CELL_FRACTION])
            return finer_shares(shares, part.tiles, self.cells)
        stored = _plain_numbers([file.read(columns=["valid_fraction"])["valid_fraction"]])
        return spread(stored, part.tiles, self.cells)

    def read_tile(self, tile_id: str, layer: int | None = None) -> np.ndarray:
        """Embeddings of one tile, (h, w, D); no more than its own rows are read.

        Raises:
            StoreError: there is no such tile, or no such layer.
        """
        column = self.column(layer)
        if tile_id not in self._row_ranges:
            raise StoreError(f"{self.folder} has no tile {tile_id!r}. See its tile list.")
        part, first, tile = self._row_ranges[tile_id]
        values = np.empty((tile.rows, self._dim(column)), dtype=self.meta.dtype)
        self._fill(part, column, first, values)
        return unfolded(values, tile, self.cells)

    def iterate(self, layer: int | None = None) -> Iterator[tuple[StoredTile, np.ndarray, np.ndarray]]:
        """Tile by tile: the tile, embeddings (h, w, D) and valid_fraction (h, w); one part in memory."""
        column = self.column(layer)
        for part in self.parts:
            values = np.empty((part.rows, self._dim(column)), dtype=self.meta.dtype)
            self._fill(part, column, 0, values)
            valid = self._valid(part)
            first = 0
            for tile in part.tiles:
                rows = slice(first, first + tile.rows)
                yield tile, unfolded(values[rows], tile, self.cells), valid[rows].reshape(tile.h, tile.w)
                first += tile.rows

    def _dim(self, column: str) -> int:
        return self.meta.dims[self.meta.columns.index(column)]

    def _fill(self, part: StorePart, column: str, first: int, rows: np.ndarray) -> None:
        """Read consecutive rows of a part's column into (n, D), from row `first` of the part on, as they are in the file."""
        a_row = self.cells**2
        if part.foreign is not None:
            part.foreign.fill(column, first // a_row, rows.reshape(len(rows) // a_row, -1))
            return
        try:
            with part.path.open("rb", buffering=0) as file:
                plain = self._plain_values(part, column, file)
                if plain is None:
                    rows[:] = self._decoded(part, column, first // a_row, len(rows) // a_row).reshape(
                        rows.shape
                    )
                else:
                    plain.read_into(file, first * rows.shape[1], rows.reshape(-1))
        except (OSError, EOFError, pa.ArrowInvalid) as err:
            raise StoreError(
                f"{part.path.name} is damaged or gone ({' '.join(str(err).split())[:80]}). "
                f"See what `python -m engine check` says of the store."
            ) from err

    def _plain_values(self, part: StorePart, column: str, file: FileIO) -> PlainValues | None:
        """Where the column's numbers lie in the file as it is now; None where they must be decoded."""
        state = os.fstat(file.fileno())
        key = (part.path, state.st_mtime_ns, state.st_size, column)
        if key not in self._plain:
            footer = self._file(part).metadata
            a_row = self.cells**2
            if footer.num_rows != part.rows // a_row:
                raise StoreError(
                    f"{part.path.name} holds {footer.num_rows} rows instead of {part.rows // a_row}. "
                    f"See what `python -m engine check` says of the store."
                )
            width = self._dim(column) * a_row
            self._plain[key] = find_plain_values(file, footer, column, width, self.meta.dtype)
        return self._plain[key]

    def _decoded(self, part: StorePart, column: str, first: int, count: int) -> np.ndarray:
        """The same rows by pyarrow, from the row groups that hold them."""
        file = self._file(part)
        ends = np.cumsum([file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)])
        begin, last = np.searchsorted(ends, [first, first + count - 1], side="right")
        offset = first - (int(ends[begin - 1]) if begin else 0)
        groups = list(range(int(begin), int(last) + 1))
        return _matrix(file.read_row_groups(groups, columns=[column])[column])[offset : offset + count]

    @cached_property
    def _row_ranges(self) -> dict[str, tuple[StorePart, int, StoredTile]]:
        """Tile id -> its part, its first row in the part, itself."""
        found = {}
        for part in self.parts:
            first = 0
            for tile in part.tiles:
                found[tile.id] = (part, first, tile)
                first += tile.rows
        return found

    @cached_property
    def _plain(self) -> dict[tuple[Path, int, int, str], PlainValues | None]:
        """Where numbers lie, by part as it was when they were looked up, and column."""
        return {}

    @staticmethod
    def _file(part: StorePart) -> pq.ParquetFile:
        return pq.ParquetFile(part.path)


def _matrix(column: pa.ChunkedArray) -> np.ndarray:
    """(rows, D) of a fixed-size list column without nulls, without a copy where there is one chunk."""
    blocks = [
        chunk.flatten().to_numpy(zero_copy_only=False).reshape(len(chunk), -1) for chunk in column.chunks
    ]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _plain_numbers(columns: Sequence[pa.ChunkedArray]) -> np.ndarray:
    """(rows,) of columns one after another."""
    # to_numpy would import pandas, a third of a second of each start
    return np.concatenate([np.from_dlpack(chunk) for column in columns for chunk in column.chunks])
