"""The footprints of a table's rows as polygons in longitude and latitude, whatever way they are stored."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyproj import CRS

from engine.errors import StoreError
from engine.imagery.geobox import to_lonlat
from engine.imagery.raster.rasters import in_short
from engine.store.products.tables.geometry_column import SIDES, GeometryColumn

_POLYGON, _MULTIPOLYGON = 3, 6  # shapely's numbers of the types
# Degrees beyond which a coordinate is no longitude or latitude; footprints may reach over the antimeridian.
_MOST_LON, _MOST_LAT = 540.0, 90.000001


def polygons(column: pa.ChunkedArray, geometry: GeometryColumn, where: str) -> np.ndarray:
    """(rows,) the polygons of a column, in longitude and latitude; those in two parts at the antimeridian go beyond 180.

    Raises:
        StoreError: a row has none, or something else than a polygon, or coordinates that are no place on Earth.
    """
    missing = column.null_count
    if missing:
        raise StoreError(
            f"{where} has {missing:,} of {len(column):,} rows without a geometry. Leave these rows out."
        )
    shapes = _single(_shapes(column, geometry, where))
    is_usable = (shapely.get_type_id(shapes) == _POLYGON) & ~shapely.is_empty(shapes)
    is_usable &= np.isfinite(shapely.bounds(shapes)).all(axis=1)
    if not is_usable.all():
        raise StoreError(
            f"{where} has {int((~is_usable).sum()):,} of {len(shapes):,} rows whose geometry is no single polygon: the ground of an "
            f"embedding is not known from a point. Give polygons."
        )
    if not geometry.crs:
        return _on_earth(shapes, where)
    _require_metres(shapes, geometry.crs, where)
    convert = to_lonlat(geometry.crs).transform
    moved = shapely.transform(shapes, lambda corners: np.column_stack(convert(*corners.T)))
    return _on_earth(np.asarray(moved), where)


def _shapes(column: pa.ChunkedArray, geometry: GeometryColumn, where: str) -> np.ndarray:
    values = column.combine_chunks()
    try:
        match geometry.kind:
            case "box":
                west, south, east, north = (
                    pc.struct_field(values, side).to_numpy(zero_copy_only=False).astype(np.float64)
                    for side in SIDES
                )
                return np.asarray(shapely.box(west, south, east, north))
            case "rings":
                return np.array([_of_rings(one) for one in values.to_pylist()], object)
            case kind:
                listed = np.array(values.to_pylist(), object)
                return np.asarray((shapely.from_wkb if kind == "wkb" else shapely.from_wkt)(listed))
    except (shapely.GEOSException, ValueError, KeyError, TypeError) as err:
        raise StoreError(
            f"The geometries of {where} are no {geometry.kind.upper()} ({in_short(err)}). Write the file again."
        ) from err


def _of_rings(rings: list[list[dict[str, float]]]) -> shapely.Polygon:
    """A polygon of GeoParquet 1.1's native encoding: rings of points with x and y."""
    outer, *holes = [[(point["x"], point["y"]) for point in ring] for ring in rings]
    return shapely.Polygon(outer, holes)


def _single(shapes: np.ndarray) -> np.ndarray:
    """The shapes, of several parts that are one footprint the one polygon."""
    found = shapes.copy()
    for number in np.flatnonzero(shapely.get_type_id(shapes) == _MULTIPOLYGON):
        parts = list(shapely.get_parts(shapes[number]))
        if len(parts) > 1:  # cut at the antimeridian (RFC 7946, section 3.1.9)
            parts = [_beyond(part) if part.bounds[0] < 0 else part for part in parts]
        joined = shapely.union_all(parts, grid_size=1e-9) if len(parts) > 1 else parts[0]
        found[number] = joined if joined.geom_type == "Polygon" else shapes[number]
    return found


def _beyond(part: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(part, lambda corners: corners + np.array([360.0, 0.0]))


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


def _on_earth(shapes: np.ndarray, where: str) -> np.ndarray:
    """The shapes, whose coordinates are longitudes and latitudes.

    Raises:
        StoreError: they are not.
    """
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    if not (-_MOST_LON <= west <= east <= _MOST_LON and -_MOST_LAT <= south <= north <= _MOST_LAT):
        raise StoreError(
            f"The geometries of {where} reach from {west:,.6g} to {east:,.6g} and from {south:,.6g} to {north:,.6g}, which are no "
            f"longitudes and latitudes: its CRS is not stated, or another one. State it in the footer `geo`, or bring them to EPSG:4326."
        )
    return shapes
