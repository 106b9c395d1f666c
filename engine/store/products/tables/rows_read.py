"""The rows of a table of embeddings that a region takes: where they lie, their vectors and their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from engine.errors import BadInput, RegionError, StoreError
from engine.imagery.raster.dates import parse_time
from engine.imagery.region import Region
from engine.store.products.tables.geometry_column import require_some
from engine.store.products.tables.polygons import polygons
from engine.store.products.tables.row_groups import groups_that_meet, rows_in
from engine.store.products.tables.vector_column import Columns, vectors

# Each row is a tile of its own, and what is told of tiles stands in the parts' footers.
MOST_ROWS = 200_000
# Of a larger file without a region, so many rows are looked at.
_LOOKED_ROWS = 20_000
_YEARS = range(1980, 2101)


@dataclass(frozen=True)
class Rows:
    """What is taken of a file.

    Attributes:
        numbers: of the rows in the file.
        shapes: (n,) polygons in lon/lat.
        vectors: (n, D).
        times: ISO 8601 a row, None where it states none.
        dated: what is said of times that the footer states.
        without: rows that were left out, for they hold no embedding.
        in_all: rows of the file, where these are some of a file that is too large for one store; else 0.
    """

    numbers: np.ndarray
    shapes: np.ndarray
    vectors: np.ndarray
    times: tuple[str | None, ...]
    dated: str = ""
    without: int = 0
    in_all: int = 0


def group_starts(file: pq.ParquetFile) -> np.ndarray:
    """The first row of each row group, and the end of the last."""
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    return np.cumsum([0, *sizes])


def rows_of(file: pq.ParquetFile, columns: Columns, region: Region | None, where: str) -> Rows:
    """The rows that meet a region; of a file that is too large for a store and without a region, the first ones.

    Raises:
        StoreError: it has no rows, vectors of changing length, or rows without a polygon.
        RegionError: no footprint meets the region.
        BadInput: more rows meet it than a store of footprints takes.
    """
    starts, total = group_starts(file), file.metadata.num_rows
    if not total:
        raise StoreError(f"{where} has no rows. Give a file with embeddings.")
    require_some(file, columns.place, where)
    is_looked_at = region is None and total > MOST_ROWS
    chosen: list[tuple[int, np.ndarray, np.ndarray]] = []
    for group in groups_that_meet(file, columns.geometry, region, columns.place.crs):
        size = file.metadata.row_group(group).num_rows
        looked = np.arange(min(size, _LOOKED_ROWS) if is_looked_at else size)
        place = rows_in(file, group, [columns.geometry], looked)[columns.geometry]
        shapes = polygons(place, columns.place, where)
        here = (
            np.arange(len(shapes))
            if region is None
            else np.flatnonzero(shapely.intersects(shapes, region.polygon))
        )
        if len(here):
            chosen.append((group, here, shapes[here]))
        taken = sum(len(one) for _, one, _ in chosen)
        if taken > MOST_ROWS:
            raise BadInput(
                f"{where} has more than {MOST_ROWS:,} embeddings there. Choose a smaller part with --region."
            )
        if is_looked_at and taken >= _LOOKED_ROWS:
            break
    if not chosen:
        raise RegionError(f"No footprint of {where} meets the region. Choose another region.")
    found = _with_vectors(file, columns, chosen, starts, where)
    return replace(found, in_all=total) if is_looked_at else found


def dated_by(rows: Rows, moment: str | None, said: str) -> Rows:
    """The rows with the time that the footer states, where none states its own."""
    return rows if any(rows.times) else replace(rows, times=(moment,) * len(rows.times), dated=said)


def without_gaps(rows: Rows, where: str) -> Rows:
    """The rows with finite numbers that are not all zero.

    Raises:
        StoreError: there is none.
    """
    good = np.isfinite(rows.vectors).all(axis=1) & (rows.vectors != 0).any(axis=1)
    if not good.any():
        raise StoreError(
            f"{where} holds no embedding there that is finite and not zero. Choose another file or region."
        )
    times = tuple(one for one, is_good in zip(rows.times, good, strict=True) if is_good)
    return replace(
        rows, numbers=rows.numbers[good], shapes=rows.shapes[good], vectors=rows.vectors[good], times=times,
        without=rows.without + int((~good).sum()),
    )  # fmt: skip


def _with_vectors(
    file: pq.ParquetFile,
    columns: Columns,
    chosen: Sequence[tuple[int, np.ndarray, np.ndarray]],
    starts: np.ndarray,
    where: str,
) -> Rows:
    """The vectors and times of some rows of some groups; rows whose vector is null are left out."""
    names = [columns.vector, *([columns.time] if columns.time else [])]
    table = pa.concat_tables(rows_in(file, group, names, here) for group, here, _ in chosen)
    numbers = np.concatenate([starts[group] + here for group, here, _ in chosen])
    shapes = np.concatenate([one for _, _, one in chosen])
    there = np.asarray(table[columns.vector].is_valid().to_numpy())
    if not there.any():
        raise StoreError(
            f"{where} holds no embedding there: its column {columns.vector} is empty. Choose another file or region."
        )
    kept = table.filter(pa.array(there))
    times = times_of(kept[columns.time].to_pylist()) if columns.time else (None,) * len(kept)
    found = vectors(kept[columns.vector], where, columns.scale)
    return Rows(numbers[there], shapes[there], found, times, without=int((~there).sum()))


def times_of(values: Sequence[Any]) -> tuple[str | None, ...]:
    """ISO 8601 in UTC; None where a row states no time."""

    def told(value: Any) -> str | None:
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC).isoformat()
        if isinstance(value, int | float) and value in _YEARS:
            return datetime(int(value), 1, 1, tzinfo=UTC).isoformat()
        found = parse_time(value) if isinstance(value, str) else None
        return None if found is None else found.isoformat()

    return tuple(told(value) for value in values)
