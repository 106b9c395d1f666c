"""GeoJSON as a table of shapes with their properties: read by Python, for GDAL also follows what only looks like GeoJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry import shape

from engine.errors import RegionError

if TYPE_CHECKING:
    import geopandas as gpd


def read_geojson(content: bytes, named: str) -> gpd.GeoDataFrame:
    """The features of a GeoJSON file; their CRS is lon/lat unless the file names another, as versions before RFC 7946 may.

    Raises:
        RegionError: it is not GeoJSON, or holds a shape that cannot be read.
    """
    import geopandas as gpd  # with pandas, a quarter of a second: only where a table is read

    try:
        tree = json.loads(content)
    except (ValueError, RecursionError) as err:
        raise RegionError(
            f"{named} is not GeoJSON ({' '.join(str(err).split())[:120]}). Export it again."
        ) from err
    features = _features(tree)
    if features is None:
        raise RegionError(f"{named} is JSON, but no GeoJSON: it has no features. Export it as GeoJSON.")
    try:
        shapes = [shape(one["geometry"]) if one.get("geometry") else shapely.Polygon() for one in features]
        said = [dict(one.get("properties") or {}) for one in features]
        return gpd.GeoDataFrame(said, geometry=gpd.GeoSeries(shapes, crs=_crs(tree)))
    except (shapely.errors.ShapelyError, CRSError, AttributeError, KeyError, TypeError, ValueError, IndexError) as err:  # fmt: skip
        raise RegionError(
            f"{named} holds a shape that cannot be read ({' '.join(str(err).split())[:80]}). Export it again."
        ) from err


def _features(tree: Any) -> list[dict[str, Any]] | None:
    match tree:
        case {"type": "FeatureCollection", "features": list(found)}:
            return [one for one in found if isinstance(one, dict)]
        case {"type": "Feature"}:
            return [tree]
        case {"type": str(), "coordinates": list()} | {"type": "GeometryCollection", "geometries": list()}:
            return [{"geometry": tree}]
    return None


def _crs(tree: dict[str, Any]) -> CRS:
    """What a `crs` member names (GeoJSON 2008), else lon/lat."""
    match tree.get("crs"):
        case {"properties": {"name": str(name)}}:
            return CRS.from_user_input(name)
    return CRS.from_user_input("OGC:CRS84")
