"""A GeoParquet file of embeddings, one a footprint: Clay's, Major TOM's, Earth Index's, or any with a column of vectors.

Of a file with a bbox covering, only the row groups that a region meets are read; vectors are read of no other rows' groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from engine.errors import BadInput, RegionError, StoreError
from engine.imagery.raster.dates import parse_time
from engine.imagery.region import Region
from engine.store.products.decoding import AS_STORED, is_unit_length, median_length
from engine.store.products.known import CLAY_V0_LICENCE, MAJOR_TOM_LICENCE
from engine.store.products.tables.footer_time import footer_time
from engine.store.products.tables.footprint_tiles import Footprint, footprints_of, polygons_of
from engine.store.products.tables.row_groups import groups_that_meet
from engine.store.products.tables.vector_column import Columns, columns_of, told_of, vectors
from engine.store.products.taken import Taken
from engine.store.products.understood import UNKNOWN, Understood
from engine.store.schema import StoredTile, TileRows

# Each row is a tile of its own, and what is told of tiles stands in the parts' footers.
_MOST_ROWS = 200_000
# Labels are read on pixels: those of Sentinel-2, whose chips nearly all of these embeddings are of.
_PIXEL_M = 10.0
_CLAY = {768: "clay_v0", 1024: "clay_v1.5"}


@dataclass(frozen=True)
class _Rows:
    """What is taken of a file: numbers of the rows, polygons, (n, D) vectors, times; and what is said of times of the footer."""

    numbers: np.ndarray
    shapes: np.ndarray
    vectors: np.ndarray
    times: tuple[str | None, ...]
    dated: str = ""


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
    columns = columns_of(file, path.name)
    told = told_of(file)
    names, starts = set(file.schema_arrow.names), _group_starts(file)
    rows, gaps = _without_gaps(_read(file, columns, region, path.name), path.name)
    rows = _dated(rows, told)
    found = footprints_of(rows.shapes)
    tiles = _tiles(rows, found, path)
    understood = _understood(path, rows, tiles, told, names, gaps, found)
    return Taken(
        understood,
        "tile",
        int(np.median([tile.width_px for tile in tiles])),
        lambda: _tile_rows(rows, tiles),
        most_tiles=len(tiles),
        in_place={
            "kind": "table", "column": columns.vector, "rows": rows.numbers.tolist(), "group_starts": starts.tolist(),
            "tiles": [asdict(tile) for tile in tiles],
        },
    )  # fmt: skip


def taken_footprints(
    path: Path, shapes: np.ndarray, found: np.ndarray, told: dict[str, Any], form: str, notes: Sequence[str]
) -> Taken:
    """Embeddings of footprints that another form of file holds.

    Args:
        shapes: (n,) polygons in lon/lat.
        found: (n, D) float32; zero where there is no embedding.
        told: as a footer `emb` says it.

    Raises:
        StoreError: none has an embedding.
    """
    every = _Rows(np.arange(len(found)), shapes, found, (None,) * len(found))
    rows, gaps = _without_gaps(every, path.name)
    placed = footprints_of(rows.shapes)
    tiles = _tiles(rows, placed, path)
    seen = _understood(path, rows, tiles, told, set(), gaps, placed)
    return Taken(
        replace(seen, form=form, notes=(*notes, *seen.notes)), "tile", int(np.median([tile.width_px for tile in tiles])),
        lambda: _tile_rows(rows, tiles), most_tiles=len(tiles),
    )  # fmt: skip


def _group_starts(file: pq.ParquetFile) -> np.ndarray:
    """The first row of each row group, and the end of the last."""
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    return np.cumsum([0, *sizes])


def _read(file: pq.ParquetFile, columns: Columns, region: Region | None, where: str) -> _Rows:
    starts = _group_starts(file)
    chosen: list[tuple[int, np.ndarray, np.ndarray]] = []
    for group in groups_that_meet(file, columns.geometry, region):
        wkb = file.read_row_group(group, columns=[columns.geometry])[columns.geometry].to_pylist()
        shapes = polygons_of(wkb, where)
        here = (
            np.arange(len(shapes))
            if region is None
            else np.flatnonzero(shapely.intersects(shapes, region.polygon))
        )
        if len(here):
            chosen.append((group, here, shapes[here]))
        _require_few(sum(len(one) for _, one, _ in chosen), where)
    if not chosen:
        raise (
            RegionError(f"No footprint of {where} meets the region. Choose another region.")
            if region
            else StoreError(f"{where} has no rows.")
        )
    names = [columns.vector, *([columns.time] if columns.time else [])]
    parts = [file.read_row_group(group, columns=names).take(here) for group, here, _ in chosen]
    table = pa.concat_tables(parts)
    times = _times(table[columns.time].to_pylist()) if columns.time else (None,) * len(table)
    numbers = np.concatenate([starts[group] + here for group, here, _ in chosen])
    return _Rows(
        numbers, np.concatenate([one for _, _, one in chosen]), vectors(table[columns.vector], where), times
    )


def _require_few(rows: int, where: str) -> None:
    if rows > _MOST_ROWS:
        raise BadInput(f"{where} has more than {_MOST_ROWS:,} embeddings there. Choose a part with --region.")


def _times(values: Sequence[Any]) -> tuple[str | None, ...]:
    """ISO 8601 in UTC; None where a row states no time."""

    def told(value: Any) -> str | None:
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC).isoformat()
        found = parse_time(value) if isinstance(value, str) else None
        return None if found is None else found.isoformat()

    return tuple(told(value) for value in values)


def _dated(rows: _Rows, told: dict[str, Any]) -> _Rows:
    """The rows with the time that the footer states, where none states its own."""
    if any(rows.times):
        return rows
    moment, said = footer_time(told)
    return replace(rows, times=(moment,) * len(rows.times), dated=said)


def _without_gaps(rows: _Rows, where: str) -> tuple[_Rows, int]:
    """The rows with finite numbers that are not all zero, and how many others there are."""
    good = np.isfinite(rows.vectors).all(axis=1) & (rows.vectors != 0).any(axis=1)
    if not good.any():
        raise StoreError(
            f"{where} holds no embedding there that is finite and not zero. Choose another file or region."
        )
    times = tuple(one for one, is_good in zip(rows.times, good, strict=True) if is_good)
    return replace(
        rows, numbers=rows.numbers[good], shapes=rows.shapes[good], vectors=rows.vectors[good], times=times
    ), int((~good).sum())


def _tiles(rows: _Rows, found: Sequence[Footprint], path: Path) -> list[StoredTile]:
    """A tile of one patch a row, its footprint cut into pixels of about 10 m."""
    sides = np.array([[one.width_m, one.height_m] for one in found]) / _PIXEL_M
    usual = np.maximum(1, np.round(np.median(sides, axis=0)))
    pixels = np.where(np.abs(sides - usual) <= 1, usual, np.maximum(1, np.round(sides))).astype(int)
    tiles = []
    for number, one, moment, (width, height) in zip(
        rows.numbers.tolist(), found, rows.times, pixels.tolist(), strict=True
    ):
        transform = (one.width_m / width, 0.0, one.west, 0.0, -one.height_m / height, one.north)
        tiles.append(
            StoredTile(
                id=f"row_{number}",
                crs=one.crs,
                transform=transform,
                h=1,
                w=1,
                height_px=height,
                width_px=width,
                datetimes=(moment,),
                scene_ids=(path.stem[:60],),
                split=None,
            )
        )
    return tiles


def _understood(
    path: Path,
    rows: _Rows,
    tiles: Sequence[StoredTile],
    told: dict[str, Any],
    names: set[str],
    gaps: int,
    found: Sequence[Footprint],
) -> Understood:
    dim = rows.vectors.shape[1]
    title, model = _model(told, names, dim)
    licence, credit = _published(title, model)
    width, height = (
        float(np.median([getattr(one, side) for one in found])) for side in ("width_m", "height_m")
    )
    turned = sum(one.fills < 0.95 for one in found)
    dated = sorted({moment[:4] for moment in rows.times if moment})
    notes = [
        f"Footprints are {width:,.0f} x {height:,.0f} m (median); labels are read on pixels of about 10 m.",
        rows.dated or ("" if dated else "No row states a time: the embeddings have no date."),
        f"{gaps:,} rows hold no embedding (zero or no numbers) and are left out." if gaps else "",
        f"{turned:,} footprints are no rectangles of UTM; the rectangle around each is taken." if turned else "",
        "Nothing in the file tells which model made these embeddings. --model NAME states the model." if model == UNKNOWN else "",
    ]  # fmt: skip
    zones = sorted({tile.crs for tile in tiles})
    return Understood(
        path=str(path), form=f"{title} in GeoParquet", model=model, dim=dim, decoding=AS_STORED.words,
        mean_length=median_length(rows.vectors), is_unit_length=is_unit_length(rows.vectors),
        nodata="zero or NaN", year=int(dated[0]) if len(dated) == 1 else None, licence=_text(told.get("license")) or licence,
        attribution=_providers(told) or credit, crs=", ".join(zones[:4]) + (", ..." if len(zones) > 4 else ""), gsd_m=_PIXEL_M,
        size=f"{len(tiles):,} footprints", rows=len(tiles), dtype="float32", notes=tuple(note for note in notes if note),
        bounds_lonlat=_bounds(rows.shapes),
    )  # fmt: skip


def _bounds(shapes: np.ndarray) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return west, south, east, north


def _model(told: dict[str, Any], names: set[str], dim: int) -> tuple[str, str]:
    """What the file is and its model, from its footer `emb` or the columns that a publisher writes."""
    stated = told.get("model")
    named = _text(stated.get("id")) if isinstance(stated, dict) else _text(stated)
    if {"unique_id", "grid_cell", "grid_row_u", "grid_col_r"} <= names:
        return "Major TOM embeddings", named or UNKNOWN
    if {"index", "source_url"} <= names and dim in _CLAY:
        return "Clay embeddings", named or _CLAY[dim]
    return "embeddings", named or UNKNOWN


def _published(title: str, model: str) -> tuple[str, str]:
    """Licence and attribution of a known publisher; empty where it states none."""
    if title == "Clay embeddings":
        return (CLAY_V0_LICENCE if model == _CLAY[768] else ""), "Clay Foundation"
    if title == "Major TOM embeddings":
        return MAJOR_TOM_LICENCE, "Major TOM"
    return "", ""


def _providers(told: dict[str, Any]) -> str:
    listed = told.get("providers")
    names = (
        [_text(one.get("name") if isinstance(one, dict) else one) for one in listed]
        if isinstance(listed, list)
        else []
    )
    return ", ".join(name for name in names if name)


def _text(value: Any) -> str:
    return " ".join(value.split())[:120] if isinstance(value, str) else ""


def _tile_rows(rows: _Rows, tiles: Sequence[StoredTile]) -> Iterator[TileRows]:
    for tile, vector in zip(tiles, rows.vectors, strict=True):
        yield TileRows(tile, (vector[None],), np.ones(1, np.float32))
