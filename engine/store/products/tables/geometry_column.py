"""The column of a Parquet file that says where its rows lie: polygons as WKB or WKT in any CRS, or boxes of four numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from engine.errors import StoreError
from engine.imagery.geobox import crs_text, to_lonlat
from engine.imagery.raster.rasters import in_short

_NAMES = ("geometry", "geom", "wkb_geometry", "wkb", "footprint")
_BOXES = ("bbox", "bounds")
_SIDES = ("xmin", "ymin", "xmax", "ymax")
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
# Sides of a polygon of hundreds of kilometres are curved in another CRS.
_POLYGON = 3
# Degrees beyond which a coordinate is no longitude or latitude; footprints may reach over the antimeridian.
_MOST_LON, _MOST_LAT = 540.0, 90.000001


@dataclass(frozen=True)
class GeometryColumn:
    """Where the footprints of a file are.

    Attributes:
        crs: of the coordinates; empty for longitude and latitude.
    """

    name: str
    kind: Literal["wkb", "wkt", "box"]
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


def polygons(column: pa.ChunkedArray, geometry: GeometryColumn, where: str) -> np.ndarray:
    """(rows,) the polygons of a column, in longitude and latitude.

    Raises:
        StoreError: a row has none, or something else than a polygon, or coordinates that are no place on Earth.
    """
    missing = column.null_count
    if missing:
        raise StoreError(
            f"{where} has {missing:,} of {len(column):,} rows without a geometry. Leave these rows out."
        )
    shapes = _shapes(column, geometry, where)
    kinds = shapely.get_type_id(shapes)
    is_polygon = (kinds == _POLYGON) | ((kinds == 6) & (shapely.get_num_geometries(shapes) == 1))
    is_usable = is_polygon & ~shapely.is_empty(shapes) & np.isfinite(shapely.bounds(shapes)).all(axis=1)
    if not is_usable.all():
        raise StoreError(
            f"{where} has {int((~is_usable).sum()):,} of {len(shapes):,} rows whose geometry is no single polygon: the ground of an "
            f"embedding is not known from a point. Give polygons."
        )
    if geometry.crs:
        _require_metres(shapes, geometry.crs, where)
    found = _in_lonlat(shapes, geometry.crs) if geometry.crs else shapes
    west, south, east, north = shapely.total_bounds(found).tolist()
    if not (-_MOST_LON <= west <= east <= _MOST_LON and -_MOST_LAT <= south <= north <= _MOST_LAT):
        raise StoreError(
            f"The geometries of {where} reach from {west:,.6g} to {east:,.6g} and from {south:,.6g} to {north:,.6g}, which are no "
            f"longitudes and latitudes: its CRS is not stated, or another one. State it in the footer `geo`, or bring them to EPSG:4326."
        )
    return found


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


def footer(file: pq.ParquetFile, key: bytes) -> dict[str, Any]:
    """A JSON object in the metadata of a file; empty where there is none."""
    raw = (file.schema_arrow.metadata or {}).get(key) or (file.metadata.metadata or {}).get(key)
    try:
        tree = json.loads(raw) if raw else {}
    except ValueError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _shapes(column: pa.ChunkedArray, geometry: GeometryColumn, where: str) -> np.ndarray:
    try:
        if geometry.kind == "box":
            boxes = column.combine_chunks()
            west, south, east, north = (
                pc.struct_field(boxes, side).to_numpy(zero_copy_only=False).astype(np.float64)
                for side in _SIDES
            )
            return np.asarray(shapely.box(west, south, east, north))
        values = np.array(column.to_pylist(), object)
        return np.asarray((shapely.from_wkb if geometry.kind == "wkb" else shapely.from_wkt)(values))
    except (shapely.GEOSException, ValueError) as err:
        raise StoreError(
            f"The geometries of {where} are no {geometry.kind.upper()} ({in_short(err)}). Write the file again."
        ) from err


def _in_lonlat(shapes: np.ndarray, crs: str) -> np.ndarray:
    convert = to_lonlat(crs).transform
    return np.asarray(shapely.transform(shapes, lambda corners: np.column_stack(convert(*corners.T))))


def _require_metres(shapes: np.ndarray, crs: str, where: str) -> None:
    """Check that coordinates of a map projection are none in degrees.

    Raises:
        StoreError: they look like it.
    """
    if np.abs(shapely.total_bounds(shapes)).max() <= _MOST_LON and not CRS.from_user_input(crs).is_geographic:
        raise StoreError(
            f"The geometries of {where} are stated to be in {crs}, and their coordinates look like longitude and latitude. Correct the "
            f"CRS in the footer `geo`."
        )


def _kind(found: pa.DataType) -> Literal["wkb", "wkt"] | None:
    stored = getattr(found, "storage_type", found)  # geoarrow's extension types
    if pa.types.is_binary(stored) or pa.types.is_large_binary(stored):
        return "wkb"
    return "wkt" if pa.types.is_string(stored) or pa.types.is_large_string(stored) else None


def _is_box(kind: pa.DataType) -> bool:
    return pa.types.is_struct(kind) and all(kind.get_field_index(side) >= 0 for side in _SIDES)


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
