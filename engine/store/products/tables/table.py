"""A GeoParquet file of embeddings, one a footprint: Clay's, Major TOM's, Earth Index's, or any with a column of vectors.

Of a file with a bbox covering, only the row groups that a region meets are read; vectors are read of no other rows' groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.imagery.region import Region
from engine.store.products.decoding import AS_STORED
from engine.store.products.tables.footer_time import footer_time
from engine.store.products.tables.footprint_tiles import footprints_of, tiles_of
from engine.store.products.tables.geometry_column import bounds_stated
from engine.store.products.tables.rows_read import Rows, dated_by, group_starts, rows_of, without_gaps
from engine.store.products.tables.told import understood_table
from engine.store.products.tables.vector_column import columns_of, scale_in_words, told_of
from engine.store.products.taken import Taken
from engine.store.schema import StoredTile, TileRows


@contextmanager
def taken_table(path: Path, region: Region | None) -> Iterator[Taken]:
    """The embeddings of a GeoParquet file.

    Raises:
        As `taken_of`, and
        StoreError: it is damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            found = taken_of(file, path, region)
    except (OSError, pa.ArrowException) as err:
        raise StoreError(
            f"{path} cannot be read as Parquet ({' '.join(str(err).split())[:100]}). Copy or download it again."
        ) from err
    yield found


def taken_of(file: pq.ParquetFile, path: Path, region: Region | None) -> Taken:
    """The embeddings of a GeoParquet file that is open; all that a region takes of it is read.

    Raises:
        StoreError: it has no vectors, vectors of changing length, or rows without a polygon.
        RegionError: no footprint meets the region.
    """
    columns, told = columns_of(file, path.name), told_of(file)
    rows = without_gaps(rows_of(file, columns, region, path.name), path.name)
    rows = dated_by(rows, *footer_time(told))
    found = footprints_of(rows.shapes)
    tiles = tiles_of(rows.numbers, found, rows.times, path.stem)
    understood = understood_table(
        str(path), rows, tiles, told, set(file.schema_arrow.names), found, scale_in_words(columns.scale)
    )
    if rows.in_all:
        understood = replace(
            understood, bounds_lonlat=bounds_stated(file, columns.place) or understood.bounds_lonlat
        )
    in_place = {
        "kind": "table", "column": columns.vector, "rows": rows.numbers.tolist(), "group_starts": group_starts(file).tolist(),
        "scale": columns.scale, "tiles": [asdict(tile) for tile in tiles],
    }  # fmt: skip
    return Taken(
        understood,
        "tile",
        _side_px(tiles),
        lambda: _tile_rows(rows, tiles),
        most_tiles=len(tiles),
        in_place=in_place,
    )


def taken_footprints(
    path: Path,
    shapes: np.ndarray,
    found: np.ndarray,
    told: dict[str, Any],
    form: str,
    notes: Sequence[str],
    numbers: np.ndarray,
    read_by: Mapping[str, Any],
    in_all: int = 0,
) -> Taken:
    """Embeddings of footprints that another form of file holds.

    Args:
        shapes: (n,) polygons in lon/lat.
        found: (n, D) float32; zero where there is no embedding.
        told: as a footer `emb` says it.
        numbers: (n,) of the footprints in the file.
        read_by: what a reader must know to read them again by their numbers, beside these and their tiles.
        in_all: how many there are in the file, where these are some of too many for one store; else 0.

    Raises:
        StoreError: none has an embedding.
    """
    every = Rows(numbers, shapes, found, (None,) * len(found), in_all=in_all)
    rows = without_gaps(every, path.name)
    placed = footprints_of(rows.shapes)
    tiles = tiles_of(rows.numbers, placed, rows.times, path.stem)
    seen = understood_table(str(path), rows, tiles, told, set(), placed, AS_STORED.words)
    return Taken(
        replace(seen, form=form, nodata="zero in all bands, or NaN in one", notes=(*notes, *seen.notes)), "tile", _side_px(tiles),
        lambda: _tile_rows(rows, tiles), most_tiles=len(tiles),
        in_place={**read_by, "rows": rows.numbers.tolist(), "tiles": [asdict(tile) for tile in tiles]},
    )  # fmt: skip


def _side_px(tiles: Sequence[StoredTile]) -> int:
    return int(np.median([tile.width_px for tile in tiles]))


def _tile_rows(rows: Rows, tiles: Sequence[StoredTile]) -> Iterator[TileRows]:
    for tile, vector in zip(tiles, rows.vectors, strict=True):
        yield TileRows(tile, (vector[None],), np.ones(1, np.float32))
