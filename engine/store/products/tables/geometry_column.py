"""The column of a Parquet file that says where its rows lie: polygons as WKB or WKT in any CRS, or boxes of four numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS
from pyproj.exceptions import CRSError

from engine.errors import StoreError
from engine.imagery.geobox import crs_text
from engine.store.products.tables.nested import is_list

_NAMES = ("geometry", "geom", "wkb_geometry", "wkb", "footprint")
_BOXES = ("bbox", "bounds")
SIDES = ("xmin", "ymin", "xmax", "ymax")
_LON, _LAT = (
    ("lon", "longitude", "lng", "centre_lon", "center_lon", "x"),
    ("lat", "latitude", "centre_lat", "center_lat", "y"),
)
_CELLS = (
    "h3",
    "h3_index",
    "h3_cell",
    "s2",
    "s2_cell",
    "quadkey",
    "geohash",
    "mgrs",
    "mgrs_tile",
    "grid_cell",
)


Kind = Literal["wkb", "wkt", "rings", "box"]


@dataclass(frozen=True)
class GeometryColumn:
    """Where the footprints of a file are.

    Attributes:
        kind: of its values; "rings" are GeoParquet 1.1's native polygons.
        crs: of the coordinates; empty for longitude and latitude.
    """

    name: str
    kind: Kind
    crs: str = ""


def geometry_of(file: pq.ParquetFile, where: str) -> GeometryColumn:
    """The column with the footprints.

    Raises:
        StoreError: there is none, or its CRS is not stated or cannot be read.
    """
    schema, geo = file.schema_arrow, footer(file, b"geo")
    primary = str(geo.get("primary_column", "geometry"))
    for name in dict.fromkeys((primary, *_NAMES)):
        kind = _kind(schema.field(name).type) if name in schema.names else None
        if kind is not None:
            told = geo.get("columns", {})
            column = told.get(name, {}) if isinstance(told, dict) else {}
            return GeometryColumn(name, kind, _crs(column if isinstance(column, dict) else {}, where))
    box = next((name for name in _BOXES if name in schema.names and _is_box(schema.field(name).type)), None)
    if box is not None:
        return GeometryColumn(box, "box")
    raise StoreError(
        f"{where} has no geometry column{_instead(schema.names)}: nothing tells where its embeddings lie, and on which ground. Write it "
        f"as GeoParquet with a polygon a row."
    )


def bounds_stated(file: pq.ParquetFile, geometry: GeometryColumn) -> tuple[float, float, float, float] | None:
    """West, south, east, north of all rows in degrees, as the footer `geo` states them; None where it does not."""
    columns = footer(file, b"geo").get("columns")
    column = columns.get(geometry.name) if isinstance(columns, dict) else None
    stated = column.get("bbox") if isinstance(column, dict) else None
    if geometry.crs or not isinstance(stated, list) or len(stated) not in (4, 6):
        return None
    sides = [stated[0], stated[1], stated[len(stated) // 2], stated[len(stated) // 2 + 1]]
    if not all(isinstance(side, int | float) for side in sides) or not (
        sides[0] < sides[2] and sides[1] < sides[3]
    ):
        return None
    west, south, east, north = map(float, sides)
    return west, south, east, north


def require_some(file: pq.ParquetFile, geometry: GeometryColumn, where: str) -> None:
    """Check, by the counts in the file's footer, that not every row lacks a geometry.

    Raises:
        StoreError: every row does.
    """
    rows = missing = 0
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        counts = [
            column.statistics.null_count
            for column in map(group.column, range(group.num_columns))
            if column.path_in_schema.split(".")[0] == geometry.name
            and column.statistics
            and column.statistics.has_null_count
        ]
        rows, missing = rows + group.num_rows, missing + (min(counts) if counts else 0)
    if rows and missing >= rows:
        raise StoreError(
            f"{where} has {rows:,} of {rows:,} rows without a geometry: nothing tells where they lie."
        )


def footer(file: pq.ParquetFile, key: bytes) -> dict[str, Any]:
    """A JSON object in the metadata of a file; empty where there is none."""
    raw = (file.schema_arrow.metadata or {}).get(key) or (file.metadata.metadata or {}).get(key)
    try:
        tree = json.loads(raw) if raw else {}
    except ValueError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _kind(found: pa.DataType) -> Kind | None:
    stored = getattr(found, "storage_type", found)  # geoarrow's extension types
    if pa.types.is_binary(stored) or pa.types.is_large_binary(stored):
        return "wkb"
    if is_list(stored) and is_list(stored.value_type) and pa.types.is_struct(stored.value_type.value_type):
        return "rings"
    return "wkt" if pa.types.is_string(stored) or pa.types.is_large_string(stored) else None


def _is_box(kind: pa.DataType) -> bool:
    return pa.types.is_struct(kind) and all(kind.get_field_index(side) >= 0 for side in SIDES)


def _crs(column: dict[str, Any], where: str) -> str:
    """Empty for longitude and latitude: GeoParquet's default is OGC:CRS84, and EPSG:4326 is stored in the same order."""
    stated = column.get("crs", "OGC:CRS84")
    if stated is None:
        raise StoreError(f"The geometries of {where} have no CRS. Assign EPSG:4326 or bring them to it.")
    try:
        crs = CRS.from_user_input(stated).to_2d()
    except CRSError as err:
        raise StoreError(
            f"The CRS of the geometries of {where} cannot be read. Bring them to EPSG:4326."
        ) from err
    if crs.is_geographic and crs.name.startswith("WGS 84"):
        return ""
    if not (crs.is_geographic or crs.is_projected):
        raise StoreError(
            f"The geometries of {where} are in {crs.name}, which has no place on Earth. Bring them to EPSG:4326."
        )
    return crs_text(crs)


def _instead(names: list[str]) -> str:
    """What stands in its place, in words."""
    lower = {name.lower(): name for name in names}
    cells = [lower[name] for name in _CELLS if name in lower]
    lon, lat = (next((lower[name] for name in of if name in lower), None) for of in (_LON, _LAT))
    if lon and lat:
        return f" (only points, in {lon} and {lat})"
    return f" (only the names of cells, in {cells[0]})" if cells else ""
