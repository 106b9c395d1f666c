"""A GeoParquet file that Emberscope wrote, an export or a part of a store: its tiles come back as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.imagery.region import Region
from engine.store.products.own_exports.facts import KEY, OwnFacts, own_facts, tiles_that_meet, understood_own
from engine.store.products.taken import Taken
from engine.store.schema import TileRows

_BATCH_ROWS = 10_000
_LOOKED_ROWS = 2_000


def is_own(path: Path) -> bool:
    """Whether a Parquet file carries the facts of a store."""
    try:
        return KEY.encode() in (pq.read_metadata(path).metadata or {})
    except (OSError, pa.ArrowException):  # what is wrong with it is said where it is read
        return False


@contextmanager
def taken_own_table(path: Path, region: Region | None) -> Iterator[Taken]:
    """The embeddings of a GeoParquet file with the facts of its store.

    Raises:
        StoreError: it is damaged, or its rows are not those of its tiles.
        RegionError: no tile meets the region.
    """
    with _damage_told(path), pq.ParquetFile(path) as file:
        facts = own_facts((file.metadata.metadata or {})[KEY.encode()], path.name)
        _require_columns(file, facts, path)
        chosen = tiles_that_meet(facts.tiles, region, path.name)
        tiles = [tile for tile, is_chosen in zip(facts.tiles, chosen, strict=True) if is_chosen]
        scale = _scale_column(file)
        seen = understood_own(
            facts,
            tiles,
            str(path),
            "GeoParquet",
            f"number times {scale}" if scale else "as stored",
            _sample(file, facts, scale),
        )
        yield facts.taken(seen, lambda: _rows(path, file, facts, chosen), sum(chosen))


def _rows(path: Path, file: pq.ParquetFile, facts: OwnFacts, chosen: Sequence[bool]) -> Iterator[TileRows]:
    """The tiles that are chosen; rows are read in their order, some thousand at a time."""
    scale, waiting, held = _scale_column(file), list[pa.Table](), 0
    columns = ["valid_fraction", *facts.meta.columns, *([scale] if scale else [])]
    with _damage_told(path):
        batches = file.iter_batches(_BATCH_ROWS, columns=columns)
        for number, (tile, is_chosen) in enumerate(zip(facts.tiles, chosen, strict=True)):
            while held < tile.rows:
                waiting.append(pa.Table.from_batches([next(batches)]))
                held += len(waiting[-1])
            table = pa.concat_tables(waiting)
            own, waiting, held = table.slice(0, tile.rows), [table.slice(tile.rows)], held - tile.rows
            if is_chosen:
                yield _tile_rows(facts, number, own, scale)


def _tile_rows(facts: OwnFacts, number: int, table: pa.Table, scale: str) -> TileRows:
    valid = table["valid_fraction"].to_numpy().astype(np.float32)
    layers, has_all = [], np.ones(len(table), bool)
    for column in facts.meta.columns:
        values = _vectors(table, column, scale)
        has_all &= np.isfinite(values).all(axis=1)
        layers.append(values)
    for values in layers:
        values[~has_all] = 0
    return TileRows(facts.tiles[number], tuple(layers), np.where(has_all, valid, np.float32(0)))


def _vectors(table: pa.Table, column: str, scale: str) -> np.ndarray:
    flat = table[column].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    values = flat.astype(np.float32).reshape(len(table), -1)
    return values * table[scale].to_numpy()[:, None] if scale else values


def _sample(file: pq.ParquetFile, facts: OwnFacts, scale: str) -> np.ndarray:
    columns = ["valid_fraction", facts.meta.columns[0], *([scale] if scale else [])]
    first = pa.Table.from_batches([next(file.iter_batches(_LOOKED_ROWS, columns=columns))])
    values = _vectors(first, facts.meta.columns[0], scale)
    return values[(first["valid_fraction"].to_numpy() > 0) & np.isfinite(values).all(axis=1)]


def _require_columns(file: pq.ParquetFile, facts: OwnFacts, path: Path) -> None:
    schema, rows = file.schema_arrow, sum(tile.rows for tile in facts.tiles)
    for column, dim in zip(facts.meta.columns, facts.meta.dims, strict=True):
        kind = schema.field(column).type if column in schema.names else None
        if kind is None or not pa.types.is_fixed_size_list(kind) or kind.list_size != dim:
            raise StoreError(
                f"{path.name} has no column {column} of {dim} numbers, which its facts name. Export it again."
            )
    if file.metadata.num_rows != rows or "valid_fraction" not in schema.names:
        raise StoreError(
            f"{path.name} has {file.metadata.num_rows:,} rows, and its tiles need {rows:,}: it was changed since it was written. "
            f"Export it again."
        )


def _scale_column(file: pq.ParquetFile) -> str:
    """The column with a scale a row, where the footer `emb` names one; empty where numbers are embeddings."""
    told = json.loads((file.metadata.metadata or {}).get(b"emb", b"{}"))
    quantization = (told.get("embedding") or {}).get("quantization") or {}
    return str(quantization.get("scale_column", ""))


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException, StopIteration, ValueError, KeyError, AttributeError) as err:
        raise StoreError(
            f"{path} cannot be read as Parquet ({' '.join(str(err).split())[:100]}). Copy or download it again."
        ) from err
