"""The embedding store: a folder of GeoParquet parts, one row a patch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.embeddings.manifest import MANIFEST, write_manifest
from engine.embeddings.schema import StoredTile, StoreMeta, TileRows, parse_metadata, part_table
from engine.embeddings.whole import sync_folder, write_whole
from engine.errors import DiskFull, StoreError

# Rows of a part and of a row group: a part is written in about a second and read back for one tile in
# milliseconds; tiles are never split over parts.
ROWS_A_PART = 65_536
# A tile is read by whole row groups: so much of embeddings decodes in about a millisecond.
_ROW_GROUP_BYTES = 128 * 1024
# Parts decoded at once when a whole store is read; each needs a part's worth of memory.
_READERS = 4
UNFINISHED = "store.unfinished"
FINISHED = "store"


@dataclass(frozen=True)
class StorePart:
    """One Parquet file and the tiles in it, in the order of its rows."""

    path: Path
    tiles: tuple[StoredTile, ...]

    @property
    def rows(self) -> int:
        """Rows by its own metadata."""
        return sum(tile.rows for tile in self.tiles)


@dataclass(frozen=True)
class EmbeddingStore:
    """A finished store, opened for reading; nothing is loaded before it is asked for."""

    folder: Path
    meta: StoreMeta
    parts: tuple[StorePart, ...]

    @classmethod
    def open(cls, folder: Path) -> EmbeddingStore:
        """The store in a folder, or in the run folder that holds it.

        Raises:
            StoreError: absent, unfinished, unreadable or of another schema.
        """
        if (folder / FINISHED).is_dir():
            folder = folder / FINISHED
        if not folder.is_dir() or folder.name == UNFINISHED or (folder / UNFINISHED).is_dir():
            state = (
                "an unfinished one" if folder.name == UNFINISHED or (folder / UNFINISHED).is_dir() else "none"
            )
            raise StoreError(
                f"a finished embedding store was wanted, found {state} at {folder}. Run or resume its extraction."
            )
        parts = read_parts(folder)
        if not parts:
            raise StoreError(
                f"an embedding store was wanted, found no part-*.parquet in {folder}. Point at its folder."
            )
        metas = [meta for meta, _ in parts]
        if any(meta != metas[0] for meta in metas):
            raise StoreError(
                f"one extraction's parts were wanted, found several in {folder}. Keep one folder a run."
            )
        return cls(folder, metas[0], tuple(part for _, part in parts))

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
        """Bytes of all parts."""
        return sum(part.path.stat().st_size for part in self.parts)

    def column(self, layer: int | None = None) -> str:
        """Column of a layer (as counted by the backbone); None: the first.

        Raises:
            StoreError: the store does not keep this layer.
        """
        if layer is None:
            return self.meta.columns[0]
        if layer not in self.meta.layers:
            kept = ", ".join(map(str, self.meta.layers))
            raise StoreError(
                f"layer {layer} was wanted, found layers {kept} in {self.folder}. Extract it, or use one of these."
            )
        return self.meta.columns[self.meta.layers.index(layer)]

    def read(self, layer: int | None = None) -> np.ndarray:
        """All embeddings of a layer, (rows, D) in the store's dtype, in the order of `tiles`."""
        column = self.column(layer)
        width = self.meta.dims[self.meta.columns.index(column)]
        whole = np.empty((self.rows, width), dtype=self.meta.dtype)
        ends = np.cumsum([part.rows for part in self.parts])

        def fill(index: int) -> None:
            part = self.parts[index]
            whole[ends[index] - part.rows : ends[index]] = _matrix(
                self._file(part).read(columns=[column])[column]
            )

        with ThreadPoolExecutor(_READERS) as pool:
            list(pool.map(fill, range(len(self.parts))))
        return whole

    def read_valid_fraction(self) -> np.ndarray:
        """(rows,) float32, 0 to 1."""
        columns = [self._file(part).read(columns=["valid_fraction"])["valid_fraction"] for part in self.parts]
        return np.concatenate([column.to_numpy() for column in columns])

    def read_tile(self, tile_id: str, layer: int | None = None) -> np.ndarray:
        """Embeddings of one tile, (h, w, D); only the row groups that hold it are read.

        Raises:
            StoreError: there is no such tile, or no such layer.
        """
        column = self.column(layer)
        if tile_id not in self._places:
            raise StoreError(
                f"tile {tile_id!r} was wanted, found no such tile in {self.folder}. See its tile list."
            )
        part, first, tile = self._places[tile_id]
        file = self._file(part)
        ends = np.cumsum([file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)])
        groups = range(
            int(np.searchsorted(ends, first, side="right")), int(np.searchsorted(ends, first + tile.rows)) + 1
        )
        offset = first - (int(ends[groups[0] - 1]) if groups[0] else 0)
        values = _matrix(file.read_row_groups(list(groups), columns=[column], use_threads=False)[column])
        return values[offset : offset + tile.rows].reshape(tile.h, tile.w, -1)

    def iterate(self, layer: int | None = None) -> Iterator[tuple[StoredTile, np.ndarray, np.ndarray]]:
        """Tile by tile: the tile, embeddings (h, w, D) and valid_fraction (h, w); one part in memory."""
        column = self.column(layer)
        for part in self.parts:
            table = self._file(part).read(columns=[column, "valid_fraction"])
            values, valid = _matrix(table[column]), table["valid_fraction"].to_numpy()
            first = 0
            for tile in part.tiles:
                rows = slice(first, first + tile.rows)
                yield tile, values[rows].reshape(tile.h, tile.w, -1), valid[rows].reshape(tile.h, tile.w)
                first += tile.rows

    @cached_property
    def _places(self) -> dict[str, tuple[StorePart, int, StoredTile]]:
        """Tile id -> its part, its first row in the part, itself."""
        found = {}
        for part in self.parts:
            first = 0
            for tile in part.tiles:
                found[tile.id] = (part, first, tile)
                first += tile.rows
        return found

    @cached_property
    def _footers(self) -> dict[Path, pq.FileMetaData]:
        return {}

    def _file(self, part: StorePart) -> pq.ParquetFile:
        """A part, opened; its footer is parsed once, the handle is the caller's alone (threads)."""
        file = pq.ParquetFile(part.path, metadata=self._footers.get(part.path), memory_map=True)
        self._footers.setdefault(part.path, file.metadata)
        return file


class StoreWriter:
    """Appends tiles to an unfinished store; a part appears whole or not at all.

    Tiles must come in the planned order: then a resumed run cuts the same parts as an undisturbed one.
    """

    def __init__(self, run_folder: Path, meta: StoreMeta) -> None:
        """Continues the unfinished store of the run folder, or begins one.

        Raises:
            StoreError: the run folder holds a finished store, or parts of another configuration.
        """
        if (run_folder / FINISHED).exists():
            raise StoreError(
                f"room for a new store was wanted, found a finished one in {run_folder}. Choose another --out."
            )
        self.meta = meta
        self.run_folder = run_folder
        self.folder = run_folder / UNFINISHED
        self.folder.mkdir(parents=True, exist_ok=True)
        for torn in self.folder.glob("*.writing"):
            torn.unlink()
        found = read_parts(self.folder)
        if any(part_meta != meta for part_meta, _ in found):
            raise StoreError(
                f"parts of this configuration and these scenes were wanted, found others in {self.folder}: the "
                f"configuration, the weights or a scene file changed since. Start a new run."
            )
        self.kept = [tile for _, part in found for tile in part.tiles]
        self._next_part = len(found)
        self._waiting: list[TileRows] = []

    def append(self, rows: TileRows) -> None:
        """Take one more tile; full parts are written at once.

        Raises:
            DiskFull: no room for the part; the parts before it are whole.
        """
        self._waiting.append(rows)
        if sum(item.tile.rows for item in self._waiting) >= ROWS_A_PART:
            self._write_part()

    def finish(self) -> Path:
        """Write what waits and the manifest, and give the store its final name; returns its folder.

        Raises:
            DiskFull: no room; the parts are whole and a resume goes on from them.
        """
        if self._waiting:
            self._write_part()
        self._write(self.folder / MANIFEST, lambda temporary: write_manifest(self.folder, temporary))
        final = self.run_folder / FINISHED
        self.folder.rename(final)
        sync_folder(self.run_folder)
        return final

    def _write_part(self) -> None:
        table = part_table(self.meta, self._waiting)
        sides = [f"bbox.{side}" for side in ("xmin", "ymin", "xmax", "ymax")]
        keys = [name for name in table.column_names if name not in (*self.meta.columns, "bbox")]
        row_bytes = sum(self.meta.dims) * np.dtype(self.meta.dtype).itemsize
        # zstd keeps 0.92 of Gaussian float16 noise and takes time to unpack: not worth it here.
        packing = dict.fromkeys([*keys, *sides], "zstd") | dict.fromkeys(self.meta.columns, "none")
        self._write(
            self.folder / f"part-{self._next_part:05d}.parquet",
            lambda temporary: pq.write_table(
                table, temporary, compression=packing, row_group_size=row_group_rows(row_bytes, self._waiting[0].tile.rows),
                use_dictionary=["tile_id"], write_page_index=True,
                write_statistics=[*(name for name in keys if name != "geometry"), *sides],
            ),
        )  # fmt: skip
        self._next_part += 1
        self._waiting = []

    @staticmethod
    def _write(path: Path, write: Callable[[Path], object]) -> None:
        try:
            write_whole(path, write)
        except OSError as err:
            raise DiskFull(
                f"room for {path.name} was wanted, found {err.strerror or err}. Free some space, then resume."
            ) from err


def read_parts(folder: Path) -> list[tuple[StoreMeta, StorePart]]:
    """Parts of a folder in order.

    Raises:
        StoreError: a part is damaged or of another schema.
    """
    found = []
    for path in sorted(folder.glob("part-*.parquet")):
        try:
            raw = pq.read_schema(path).metadata
        except (OSError, pa.ArrowInvalid) as err:
            raise StoreError(
                f"a whole part was wanted, found {path.name} damaged ({str(err)[:80]}). Extract again."
            ) from err
        meta, tiles = parse_metadata(raw, path.name)
        found.append((meta, StorePart(path, tuple(tiles))))
    return found


def _matrix(column: pa.ChunkedArray) -> np.ndarray:
    """(rows, D) of a fixed-size list column without nulls, without a copy where there is one chunk."""
    blocks = [
        chunk.flatten().to_numpy(zero_copy_only=False).reshape(len(chunk), -1) for chunk in column.chunks
    ]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def row_group_rows(row_bytes: int, tile_rows: int) -> int:
    """Rows of a row group: whole tiles, few enough that one tile is read quickly."""
    return max(1, _ROW_GROUP_BYTES // row_bytes // tile_rows) * tile_rows
