"""Filling an embedding store: tiles go in, parts are written atomically."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.concurrency.background_writer import BackgroundWriter
from engine.errors import StoreError
from engine.files import sync_folder, write_atomic
from engine.store.manifest import MANIFEST, write_manifest
from engine.store.parts import read_parts
from engine.store.schema import StoreMeta, TileRows
from engine.store.store import FINISHED, UNFINISHED
from engine.store.table import part_table

# A part ends with the tile that fills it: it is written in about a second, and a kill costs no more than one. It waits
# in memory, so that a long run takes more of it than one of a few tiles: with 65,536 rows a tenth more, too much.
ROWS_A_PART = 49_152
BYTES_A_PART = 128 * 1024 * 1024
# The unit that readers of Parquet skip: many make a bounding box read little, but each costs every reader 5 kB of
# footer. geoparquet-io, which measured it, wants 10,000 to 50,000 (its check_parquet_structure.py, version 1.6).
ROWS_A_GROUP = 10_000
# Parts in hand at once. pyarrow takes 12 ns a float16 number on one core (100 MB/s): enough behind a CPU, where the
# encoder wants the cores, and a quarter of what a GPU makes, beside which there are many.
PARTS_AT_ONCE = max(1, min(4, (os.cpu_count() or 1) // 4))


# Between the largest float16 (65504) and infinity: what is less is rounded down to it.
_FLOAT16_ROUNDS_UP = 65_520.0


class StoreWriter:
    """Appends tiles to an unfinished store; a part appears complete or not at all.

    Tiles must come in the planned order: then a resumed run cuts the same parts as an undisturbed one. Several
    parts are written at once, and get their names in their order: those that are there are always the first ones.
    """

    def __init__(self, run_folder: Path, meta: StoreMeta) -> None:
        """Continues the unfinished store of the run folder, or begins one.

        A finished one of the same extraction has all its tiles written: its run was killed after the store's last
        step and before its own last word.

        Raises:
            StoreError: the run folder holds another finished store, or parts of another configuration.
        """
        self.meta = meta
        self.run_folder = run_folder
        self.is_finished = (run_folder / FINISHED).exists()
        self.folder = run_folder / (FINISHED if self.is_finished else UNFINISHED)
        self.folder.mkdir(parents=True, exist_ok=True)
        for incomplete in self.folder.glob("*.writing"):
            incomplete.unlink()
        found = read_parts(self.folder)
        if any(part_meta != meta for part_meta, _ in found):
            if self.is_finished:
                raise StoreError(
                    f"{run_folder} already holds a finished store of another configuration or of other scenes. "
                    f"Choose another --out."
                )
            raise StoreError(
                f"{self.folder} holds parts that this run cannot continue: the configuration, the weights or a scene "
                f"file changed since. Start a new run."
            )
        self.written = [tile for _, part in found for tile in part.tiles]
        self._next_part = len(found)
        self._waiting: list[TileRows] = []
        self._waiting_rows = 0
        self._newest: Future[None] | None = None
        self._parts = BackgroundWriter(self._write_named, PARTS_AT_ONCE - 1, threads=PARTS_AT_ONCE)

    def append(self, rows: TileRows) -> None:
        """Take one more tile; a full part is written, behind the caller where there are cores for it.

        Raises:
            DiskFull: no room for this part or an earlier one; the parts before it are complete.
            StoreError: the store is finished and never written to, or a value is too large for its dtype.
        """
        if self.is_finished:
            raise StoreError(
                f"The store in {self.run_folder} is finished, and tile {rows.tile.id}, which could not be read when "
                f"it was made, would be added. Start a new run."
            )
        if self.meta.dtype == "float16":
            _require_float16(rows, self.meta)
        converted = tuple(np.ascontiguousarray(values, dtype=self.meta.dtype) for values in rows.embeddings)
        self._waiting.append(replace(rows, embeddings=converted))
        self._waiting_rows += rows.tile.rows
        if self._waiting_rows >= ROWS_A_PART or self._waiting_rows * _row_bytes(self.meta) >= BYTES_A_PART:
            self._write_part()

    def finish(self) -> Path:
        """Write what waits and the manifest, and give the store its final name; returns its folder.

        Raises:
            DiskFull: no room; the parts are complete and a resume goes on from them.
        """
        if self.is_finished:
            return self.folder
        if self._waiting:
            self._write_part()
        self._parts.finish()
        write_atomic(
            self.folder / MANIFEST, lambda temporary: write_manifest(self.folder, temporary), then="resume"
        )
        final = self.run_folder / FINISHED
        self.folder.rename(final)
        self.folder, self.is_finished = final, True
        sync_folder(self.run_folder)
        return final

    def close(self) -> None:
        """Wait until no part is being written; for a run that ends before its store is complete."""
        self._parts.close()

    def _write_part(self) -> None:
        path = self.folder / f"part-{self._next_part:05d}.parquet"
        tiles, self._waiting, self._waiting_rows = self._waiting, [], 0
        self._next_part += 1
        self._newest = self._parts.put(_Part(path, tiles, self._newest))

    def _write_named(self, part: _Part) -> None:
        _write_part(part.path, self.meta, part.tiles, part.before)


@dataclass(frozen=True)
class _Part:
    """A part to be written, which gets its name after the part before it has got its own."""

    path: Path
    tiles: Sequence[TileRows]
    before: Future[None] | None


def _write_part(path: Path, meta: StoreMeta, tiles: Sequence[TileRows], before: Future[None] | None) -> None:
    """Write a part, which gets its name after the part before it has got its own."""
    table = part_table(meta, tiles)
    sides = [f"bbox.{side}" for side in ("xmin", "ymin", "xmax", "ymax")]
    keys = [name for name in table.column_names if name not in (*meta.columns, "bbox")]
    # zstd keeps 0.92 of Gaussian float16 noise and takes time to unpack: not worth it here. Plain, uncompressed
    # and in pages of version 1, the numbers are read without decoding (plain_pages.py).
    packing = dict.fromkeys([*keys, *sides], "zstd") | dict.fromkeys(meta.columns, "none")
    write_atomic(
        path,
        lambda temporary: _write_table(
            temporary, table, compression=packing, use_dictionary=["tile_id"], write_page_index=True,
            write_statistics=[*(name for name in keys if name != "geometry"), *sides],
        ),
        lambda: before and before.result(),
        then="resume",
    )  # fmt: skip


def _write_table(path: Path, table: pa.Table, **settings: Any) -> None:
    """One part; what is told of it (`geo` aside, where readers of GeoParquet look) stands in the footer only once.

    With the schema's metadata, pyarrow writes it there a second time, in base64.
    """
    told = table.schema.metadata
    schema = table.schema.with_metadata({b"geo": told.pop(b"geo")})
    with pq.ParquetWriter(path, schema, data_page_version="1.0", **settings) as file:
        file.write_table(
            table.replace_schema_metadata(schema.metadata), row_group_size=group_rows(len(table))
        )
        file.add_key_value_metadata(told)


def group_rows(part_rows: int) -> int:
    """Rows of a part's row groups: as many groups as hold ROWS_A_GROUP or more, of one size."""
    groups = max(1, part_rows // ROWS_A_GROUP)
    return -(-part_rows // groups)


def _require_float16(rows: TileRows, meta: StoreMeta) -> None:
    """Refuse values of rows with valid pixels that float16 would turn into infinity; NaN is left to `check`."""
    for layer, values in zip(meta.layers, rows.embeddings, strict=True):
        # all values first, gaps too: 0.1 ns a value, where the cast takes 1.6
        if _largest(values) < _FLOAT16_ROUNDS_UP:
            continue
        largest = _largest(values[rows.valid_fraction > 0])
        if largest >= _FLOAT16_ROUNDS_UP:
            raise StoreError(
                f"Layer {layer} of {meta.backbone} has values up to {largest:.4g} on tile {rows.tile.id}, and float16 "
                f"holds no more than {np.finfo(np.float16).max:.0f}. Set output.dtype: float32."
            )


def _largest(values: np.ndarray) -> float:
    """The largest absolute value that is not NaN; 0 where there is none."""
    if values.dtype == np.float16:  # numpy compares float16 fifteen times slower than it looks for infinity
        return math.inf if np.isinf(values).any() else 0.0
    ends = np.fmax.reduce(values, axis=None, initial=0), -np.fmin.reduce(values, axis=None, initial=0)
    return float(max(ends))


def _row_bytes(meta: StoreMeta) -> int:
    """Bytes of one row's embeddings."""
    return sum(meta.dims) * np.dtype(meta.dtype).itemsize
