"""Grids of pixels: corners, outlines in lon/lat, areas and neighbours, for any affine and CRS.

`GeoBox` is odc-geo's: a shape, an affine from pixel (column, row) to CRS, and a CRS. Scenes, tiles and stored tiles
all have one.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from engine.imagery.antimeridian import on_globe

# Outlines are densified before they change CRS, so that a straight edge may become a curve.
_SEGMENTS_A_SIDE = 16
_LONGEST_SIDE_DEG = 1.0
# Universal polar stereographic, north and south, east before north (EPSG registry).
_POLAR = ("EPSG:32661", "EPSG:32761")
_UTM_LATITUDES = (-80.0, 84.0)


def gsd_m(grid: GeoBox) -> float:
    """Side of a square with the area of a pixel, in metres of a metric CRS."""
    a, b, _, d, e, _ = grid.transform[:6]
    return (
        float(abs(a)) if abs(a) == abs(e) and b == d == 0 else float(abs(grid.transform.determinant)) ** 0.5
    )


def bounds_of(grid: GeoBox) -> tuple[float, float, float, float]:
    """West, south, east, north in the grid's CRS, for any affine."""
    affine, (height, width) = grid.transform, grid.shape
    if affine.b == affine.d == 0 and affine.a > 0 > affine.e:  # as every tile: without odc-geo's checks
        west, north = float(affine.c), float(affine.f)
        return west, north + height * float(affine.e), west + width * float(affine.a), north
    box = grid.boundingbox
    return float(box.left), float(box.bottom), float(box.right), float(box.top)


def outline(grid: GeoBox) -> Polygon:
    """Outline in the grid's own CRS, counter-clockwise where the CRS is right-handed."""
    height, width = grid.shape
    ring = [grid.transform @ corner for corner in ((0, 0), (0, height), (width, height), (width, 0))]
    return Polygon(ring)


def outline_lonlat(grid: GeoBox) -> Polygon | MultiPolygon:
    """Outline in lon/lat as GeoJSON wants it: in two parts at the antimeridian, with the pole in it where it has it."""
    return polygon_lonlat(outline(grid), str(grid.crs))


def polygon_lonlat(polygon: Polygon, crs: str) -> Polygon | MultiPolygon:
    """A polygon of a CRS in lon/lat, its sides densified, cut at the antimeridian (RFC 7946, section 3.1.9)."""
    west, south, east, north = polygon.bounds
    dense = shapely.segmentize(polygon, max(east - west, north - south) / _SEGMENTS_A_SIDE)
    corners = np.asarray(dense.exterior.coords)
    lon, lat = to_lonlat(crs).transform(*corners.T)
    return on_globe(np.column_stack([lon, lat]), holds_pole(polygon, crs))


def holds_pole(polygon: BaseGeometry, crs: str) -> int:
    """1 where a polygon of a CRS holds the north pole, -1 for the south pole, 0 for neither."""
    for sign in (1, -1):
        x, y = from_lonlat(crs).transform(0.0, 90.0 * sign)
        if (
            np.isfinite([x, y]).all()
            and abs(x) < 1e8
            and abs(y) < 1e8
            and polygon.contains(shapely.Point(x, y))
        ):
            lon, lat = to_lonlat(crs).transform(x, y)
            if np.isfinite(lon) and abs(lat) > 89.999:
                return sign
    return 0


def applied(transform: Affine, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Many points through an affine, or its inverse."""
    a, b, c, d, e, f = transform[:6]
    return a * x + b * y + c, d * x + e * y + f


def transform_bounds(grid: GeoBox, crs: str) -> tuple[float, float, float, float]:
    """West, south, east, north of a grid's outline in another CRS, its sides densified."""
    height, width = grid.shape
    steps = np.linspace(0, 1, 65)
    column = np.concatenate([steps, np.ones(65), steps, np.zeros(65)]) * width
    row = np.concatenate([np.zeros(65), steps, np.ones(65), steps]) * height
    x, y = _between(str(grid.crs), crs).transform(*applied(grid.transform, column, row))
    return float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y))


def area_in_crs(polygon: BaseGeometry, crs: str) -> BaseGeometry:
    """A lon/lat polygon in another CRS, its sides densified first; what lies in parts at the antimeridian meets.

    Around a pole the sides along the antimeridian and along the pole itself fall together, and vanish. Empty where the
    CRS has no coordinates for the polygon (UTM a quarter of the globe away).
    """
    west, south, east, north = polygon.bounds
    dense = shapely.segmentize(
        polygon, min(max(east - west, north - south) / _SEGMENTS_A_SIDE, _LONGEST_SIDE_DEG)
    )
    convert = from_lonlat(crs).transform
    moved = shapely.transform(dense, lambda corners: np.column_stack(convert(*corners.T)))
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        return Polygon()
    if not moved.is_valid:
        parts = shapely.get_parts(shapely.make_valid(moved))
        moved = shapely.union_all([part for part in parts if part.area > 0])
    return shapely.union_all(list(moved.geoms)) if isinstance(moved, MultiPolygon) else moved


def utm_or_polar_crs(lon: float, lat: float) -> str:
    """Authority code of the UTM zone (WGS 84) of a place in degrees, of polar stereographic beyond 84 N and 80 S."""
    if not _UTM_LATITUDES[0] <= lat <= _UTM_LATITUDES[1]:
        return _POLAR[0] if lat > 0 else _POLAR[1]
    lon = (lon + 180) % 360 - 180
    found = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat))
    return f"EPSG:{found[0].code}"


@cache
def crs_text(crs: CRS) -> str:
    """A CRS as text that means the same everywhere: its authority code where it has one, else its WKT.

    Remembered, for finding the code of a CRS that states none takes PROJ a tenth of a second.
    """
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())


@cache
def crs_slug(crs: str) -> str:
    """A CRS as a word for names: `epsg32618`, or `crs` and eight letters of a hash of its definition."""
    known = CRS.from_user_input(crs)
    code = known.to_epsg()
    if code:
        return f"epsg{code}"
    return "crs" + hashlib.sha256(known.to_json(pretty=False).encode()).hexdigest()[:8]


@cache
def to_lonlat(crs: str) -> Transformer:
    """Transformer from a CRS to lon/lat degrees, x before y on both sides; made once, threads may share it."""
    return _between(crs, "EPSG:4326")


@cache
def from_lonlat(crs: str) -> Transformer:
    """Transformer from lon/lat degrees to a CRS, x before y on both sides; made once, threads may share it."""
    return _between("EPSG:4326", crs)


@cache
def _between(crs: str, other: str) -> Transformer:
    return Transformer.from_crs(CRS.from_user_input(crs), CRS.from_user_input(other), always_xy=True)
