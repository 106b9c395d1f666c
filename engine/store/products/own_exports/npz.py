"""An npz that Emberscope exported, read row by row: a zip whose members are not packed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from engine.errors import StoreError
from engine.imagery.region import Region
from engine.store.products.own_exports.facts import OwnFacts, own_facts, tiles_that_meet, understood_own
from engine.store.products.taken import Taken
from engine.store.schema import TileRows

_LOOKED_ROWS = 2_000


@contextmanager
def taken_npz(path: Path, region: Region | None) -> Iterator[Taken]:
    """The embeddings of an npz.

    Raises:
        StoreError: it is damaged, or does not say where its embeddings lie.
        RegionError: no tile meets the region.
    """
    with _damage_told(path), zipfile.ZipFile(path) as archive:
        if not {"embeddings.npy", "store.npy"} <= set(archive.namelist()):
            raise StoreError(
                f"{path.name} says nowhere where its embeddings lie: `embeddings` and `store` are read, as `export --format npz` "
                f"writes them. Write the embeddings as GeoParquet or GeoTIFF."
            )
        facts = own_facts(str(_small(archive, "store")), path.name)
        chosen = tiles_that_meet(facts.tiles, region, path.name)
        _require_rows(archive, facts, path)
        tiles = [tile for tile, is_chosen in zip(facts.tiles, chosen, strict=True) if is_chosen]
        scaled = "scales.npy" in archive.namelist()
        seen = understood_own(
            facts,
            tiles,
            str(path),
            "npz",
            "number times the scale of its row" if scaled else "as stored",
            _sample(archive, facts),
        )
        yield facts.taken(seen, lambda: _rows(path, archive, facts, chosen), sum(chosen))


def _rows(
    path: Path, archive: zipfile.ZipFile, facts: OwnFacts, chosen: Sequence[bool]
) -> Iterator[TileRows]:
    with _damage_told(path):
        for rows, is_chosen in zip(_tiles(archive, facts), chosen, strict=True):
            if is_chosen:
                yield rows


def _tiles(archive: zipfile.ZipFile, facts: OwnFacts) -> Iterator[TileRows]:
    valid = _small(archive, "valid_fraction").astype(np.float32)
    scales = _small(archive, "scales") if "scales.npy" in archive.namelist() else None
    with archive.open("embeddings.npy") as entry:
        (_, dim), dtype = _header(entry)
        first = 0
        for tile in facts.tiles:
            here = slice(first, first + tile.rows)
            wanted = tile.rows * dim * dtype.itemsize
            block = entry.read(wanted)
            if len(block) < wanted:
                raise EOFError("the embeddings end early")
            values = np.frombuffer(block, dtype).reshape(tile.rows, dim).astype(np.float32)
            if scales is not None:
                values = values * scales[here, None]
            has_all = np.isfinite(values).all(axis=1)
            values[~has_all] = 0
            yield TileRows(tile, (values,), np.where(has_all, valid[here], np.float32(0)))
            first += tile.rows


def _sample(archive: zipfile.ZipFile, facts: OwnFacts) -> np.ndarray:
    """(n, D) of the first rows that are no gaps."""
    found, count = [np.empty((0, facts.meta.dims[0]), np.float32)], 0
    for rows in _tiles(archive, facts):
        found.append(rows.embeddings[0][rows.valid_fraction > 0])
        count += len(found[-1])
        if count >= _LOOKED_ROWS:
            break
    return np.concatenate(found)


def _require_rows(archive: zipfile.ZipFile, facts: OwnFacts, path: Path) -> None:
    """Check that the arrays have the rows that the tiles need.

    Raises:
        StoreError: they have others, or a type that holds no embeddings.
    """
    rows = sum(tile.rows for tile in facts.tiles)
    with archive.open("embeddings.npy") as entry:
        shape, dtype = _header(entry)
    if shape != (rows, facts.meta.dims[0]) or dtype not in (np.float32, np.float16, np.int8):
        raise StoreError(
            f"{path.name} holds embeddings of the shape {shape} and the type {dtype}, and its tiles need ({rows}, "
            f"{facts.meta.dims[0]}) of float32, float16 or int8. Export it again."
        )
    for name in ("valid_fraction", *(["scales"] if dtype == np.int8 else [])):
        if f"{name}.npy" not in archive.namelist() or _small(archive, name).shape != (rows,):
            raise StoreError(f"{path.name} has no {name} of its {rows:,} rows. Export it again.")


def _header(entry: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an npy member, which is then at its numbers."""
    version = np.lib.format.read_magic(entry)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(entry)
    if is_fortran or len(shape) != 2:
        raise ValueError("the embeddings are not stored row by row")
    return shape, dtype


def _small(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as entry:
        return np.asarray(np.lib.format.read_array(entry, allow_pickle=False))


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, KeyError) as err:
        raise StoreError(
            f"{path.name} cannot be read as npz ({' '.join(str(err).split())[:80]}). Copy it again."
        ) from err
