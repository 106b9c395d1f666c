"""AlphaEarth's index: a row a file, with its year, its bounds in degrees and its path in a bucket; Parquet or CSV.

Files are looked for beside the index, where every copy of the product has them: v1/annual/YEAR/ZONE/NAME.tiff.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from urllib.parse import urljoin, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.csv
import shapely
from shapely.geometry.base import BaseGeometry

from engine.errors import RemoteError
from engine.imagery.region import Region
from engine.imagery.remote.fetching import RemoteRaster, read_ranges, refreshed
from engine.store.catalogues.lists.listed import Listed, ListedItem, listed_file, not_asked
from engine.store.catalogues.lists.remote_tables import groups_where, opened_parquet, require_columns
from engine.store.catalogues.table import EmbeddingCatalogue

_BOUNDS = ("wgs84_west", "wgs84_south", "wgs84_east", "wgs84_north")
_OUTLINES = ("geometry", "geom", "WKT", "wkt")
# A file is narrower than a UTM zone: one over the antimeridian begins and ends this near to it.
_NEAR_180 = 172.0
_YEAR = re.compile(r"/annual/(\d{4})/")
_BELOW = "/annual/"


def alphaearth_listed(catalogue: EmbeddingCatalogue, region: Region) -> Listed:
    """The files over a region.

    Raises:
        RemoteError: the index cannot be had, or is none.
    """
    raster = RemoteRaster(catalogue.address, "open", f"The index of {catalogue.title}")
    is_csv = urlsplit(catalogue.address).path.endswith(".csv")
    raster = replace(raster, is_whole=is_csv)
    held, why = refreshed(raster)
    if is_csv:
        rows = _rows_of_csv(read_ranges(raster, held, [(0, held.size)])[0], raster, region)
    else:
        rows = _rows_of_parquet(raster, region)
    items = tuple(_item(row, catalogue) for row in rows)
    return Listed(items, catalogue.product, catalogue.dim, not_asked(catalogue.title, why))


Row = tuple[int, str, BaseGeometry]


def _rows_of_parquet(raster: RemoteRaster, region: Region) -> list[Row]:
    """Bounds are read first, and paths only of the row groups with files over the region."""
    west, south, east, north = region.polygon.bounds
    # A file over the antimeridian has a west beyond its east: one of the two lies near a region there, not both.
    conditions = {
        "wgs84_west": lambda low, high: low <= east or high > _NEAR_180, "wgs84_east": lambda low, high: high >= west or low < -_NEAR_180,
        "wgs84_south": lambda low, _: low <= north, "wgs84_north": lambda _, high: high >= south,
    }  # fmt: skip
    found: list[Row] = []
    with opened_parquet(raster) as file:
        names = file.schema_arrow.names
        require_columns(names, ["path", *_place(names)], raster)
        rest = [name for name in ("year", "path") if name in names]
        for group in groups_where(file, conditions):
            places = file.read_row_group(group, columns=_place(names), use_threads=False)
            here = _meeting(places, region)
            if here:
                others = file.read_row_group(group, columns=rest, use_threads=False).take(here)
                found += _rows(places.take(here), others, raster)
    return found


def _rows_of_csv(content: bytes, raster: RemoteRaster, region: Region) -> list[Row]:
    try:
        parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
        table = pyarrow.csv.read_csv(pa.BufferReader(content), parse_options=parsing)
        require_columns(table.column_names, ["path", *_place(table.column_names)], raster)
        chosen = table.take(_meeting(table, region))
    except (pa.ArrowException, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as err:
        raise RemoteError(
            f"{raster.what} cannot be read as a table of files ({' '.join(str(err).split())[:100]}). Check its address."
        ) from err
    return list(_rows(chosen, chosen, raster))


def _place(names: Sequence[str]) -> list[str]:
    """The columns that say where a file lies: its bounds, or where there are none its outline."""
    outline = next((name for name in _OUTLINES if name in names), None)
    return list(_BOUNDS) if outline is None or set(_BOUNDS) <= set(names) else [outline]


def _sides(places: pa.Table) -> list[np.ndarray]:
    """West, south, east and north of each row in degrees."""
    columns = _place(places.column_names)
    if len(columns) > 1:
        return [places[name].to_numpy() for name in columns]
    outlines = places[columns[0]].to_pylist()
    is_text = any(isinstance(one, str) for one in outlines)
    return list(shapely.bounds(shapely.from_wkt(outlines) if is_text else shapely.from_wkb(outlines)).T)


def _meeting(places: pa.Table, region: Region) -> list[int]:
    """Numbers of the rows whose bounds meet a region; few of a hundred thousand come near the rectangle around it."""
    west, south, east, north = _sides(places)
    least, lowest, most, highest = region.polygon.bounds
    in_reach = ((west <= most) & (east >= least)) | ((west > east) & ((east >= least) | (west <= most)))
    near = np.flatnonzero(in_reach & (south <= highest) & (north >= lowest))
    boxes = [_box(*sides) for sides in zip(west[near], south[near], east[near], north[near], strict=True)]
    return [int(number) for number in near[shapely.intersects(boxes, region.polygon)]]


def _box(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """The ground of a file; of one over the antimeridian, whose west is beyond its east, in two parts."""
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def _rows(places: pa.Table, rest: pa.Table, raster: RemoteRaster) -> Iterator[Row]:
    paths = rest["path"].to_pylist()
    years = rest["year"].to_pylist() if "year" in rest.column_names else [None] * len(paths)
    for year, path, box in zip(years, paths, np.array(_sides(places)).T, strict=True):
        named = _YEAR.search(path) if isinstance(path, str) else None
        told = named[1] if year is None and named else str(year)
        if not isinstance(path, str) or not told.isdigit():
            raise RemoteError(f"{raster.what} has a row without a path or a year. Try again later.")
        yield int(told), path, _box(*box)


def _item(row: Row, catalogue: EmbeddingCatalogue) -> ListedItem:
    year, path, footprint = row
    name = PurePosixPath(path)
    what = f"{name.parent.name}/{name.name} of {year}"
    file = listed_file(_address(path, catalogue.address), what)
    return ListedItem(f"{name.parent.name}_{name.stem}", "cog", (file,), year, footprint)


def _address(path: str, index: str) -> str:
    """Where a file lies: beside the index, as its path lies below v1/annual; or as a path or address says it."""
    if _BELOW in path and _BELOW in index:
        return urljoin(index, path.rpartition(_BELOW)[2])
    if path.startswith(("https://", "http://")) or "://" not in path:
        return urljoin(index, path)
    if _BELOW in path:
        return urljoin(index, f"v1{_BELOW}{path.rpartition(_BELOW)[2]}")
    raise RemoteError(
        f"The index of AlphaEarth names {path[:80]}, which lies on no web server. Check its address."
    )
