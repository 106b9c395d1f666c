"""The region of interest: one area in lon/lat, checked when it is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from pyproj import Geod
from shapely.geometry import MultiPolygon, Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from engine.errors import RegionError
from engine.imagery.antimeridian import bounds_on_globe, within_180

# A little more than one Sentinel-2 tile (110 km x 110 km): what two cores still embed within a working day.
MAX_AREA_KM2 = 15_000.0
_GEOD = Geod(ellps="WGS84")
# Sides are cut into pieces of this before they are measured.
_SIDE_DEG = 1.0


@dataclass(frozen=True)
class Region:
    """A valid, non-empty area in lon/lat (EPSG:4326), within the area limit; two parts where it crosses the antimeridian."""

    polygon: Polygon | MultiPolygon

    @classmethod
    def from_bounds(cls, west: float, south: float, east: float, north: float) -> Region:
        """The rectangle of west, south, east, north in degrees; west > east crosses the antimeridian (RFC 7946, 5.2).

        Raises:
            RegionError: the bounds are out of order, out of range or too large.
        """
        told = f"The bounds {west:g}, {south:g}, {east:g}, {north:g} (west, south, east, north)"
        if not (-360 <= west <= 360 and -360 <= east <= 360 and -90 <= south <= 90 and -90 <= north <= 90):
            raise RegionError(
                f"{told} are no degrees: longitudes lie within -180 to 180 (or 0 to 360), latitudes within -90 to 90. "
                f"Check that they are not metres, and their order."
            )
        if west == east or south >= north or (west > east and east + 360 - west > 180):
            raise RegionError(
                f"{told} are out of order: west < east and south < north are needed; only a region over the antimeridian "
                f"has a west beyond its east. Mend their order."
            )
        return cls._checked(box(west, south, east if west < east else east + 360, north), "The region")

    @classmethod
    def from_polygon(cls, corners: Sequence[Sequence[float]]) -> Region:
        """The polygon of [lon, lat] corners in degrees, closed or not.

        Raises:
            RegionError: fewer than three corners, a self-crossing outline, out of range or too large.
        """
        if len(corners) < 3 or any(len(corner) < 2 for corner in corners):
            raise RegionError(
                f"The polygon has {len(corners)} corners; it needs three or more. Draw it again."
            )
        return cls._checked(
            Polygon([(float(corner[0]), float(corner[1])) for corner in corners]), "The region"
        )

    @classmethod
    def from_file(cls, path: Path) -> Region:
        """The one polygon (or multi-polygon) of a GeoJSON file in lon/lat.

        Raises:
            RegionError: the file is absent, is not GeoJSON, or does not hold one polygon.
        """
        try:
            content = path.read_bytes()
        except OSError as err:
            raise RegionError(
                f"{path} cannot be read ({err.strerror or err}). Check the path; a region is a GeoJSON file."
            ) from err
        return cls.from_bytes(content, str(path))

    @classmethod
    def from_bytes(cls, content: bytes, where: str) -> Region:
        """The one polygon (or multi-polygon) of a GeoJSON file's content, with or without a byte order mark.

        Args:
            where: names the file in messages.

        Raises:
            RegionError: it is not GeoJSON, or does not hold one polygon.
        """
        try:
            tree = json.loads(content)
        except (ValueError, RecursionError) as err:
            raise RegionError(
                f"{where} is not GeoJSON ({' '.join(str(err).split())[:120]}). Export the region again, as GeoJSON."
            ) from err
        return cls.from_geojson(tree, where)

    @classmethod
    def from_geojson(cls, tree: Any, where: str = "The GeoJSON") -> Region:
        """The one polygon (or multi-polygon) of a GeoJSON object: geometry, feature or collection.

        Raises:
            RegionError: it does not hold one polygon in lon/lat.
        """
        geometries = _geometries(tree)
        if len(geometries) != 1:
            raise RegionError(
                f"{where} holds {len(geometries)} geometries; a region is one polygon. Keep the one you mean."
            )
        try:
            found: BaseGeometry = shape(geometries[0])
        except (
            shapely.errors.ShapelyError,
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
            IndexError,
        ) as err:
            raise RegionError(
                f"{where} holds no geometry that can be read ({' '.join(str(err).split())[:80]}). Export it again."
            ) from err
        return cls._checked(found, where)

    @classmethod
    def from_shape(cls, shape_lonlat: BaseGeometry, where: str) -> Region:
        """The polygon (or multi-polygon) that a library read, in lon/lat.

        Raises:
            RegionError: empty, no polygon, self-crossing, out of range or too large.
        """
        return cls._checked(shape_lonlat, where)

    @classmethod
    def _checked(cls, polygon: BaseGeometry, where: str) -> Region:
        if polygon.is_empty:
            raise RegionError(f"{where} is empty: a polygon without corners. Draw an area.")
        if not isinstance(polygon, Polygon | MultiPolygon):
            raise RegionError(f"{where} holds a {polygon.geom_type}; a region is a polygon. Draw an area.")
        polygon = shapely.force_2d(polygon)
        if not polygon.is_valid:
            raise RegionError(
                f"{where} has an outline that crosses or touches itself ({explain_validity(polygon)}). Draw it again, corner after corner."
            )
        west, south, east, north = polygon.bounds
        if west < -360 or east > 540 or south < -90 or north > 90 or east - west > 360:
            raise RegionError(
                f"{where} is not in lon/lat degrees: it reaches from {west:g}, {south:g} to {east:g}, {north:g}; longitudes lie within "
                f"-180 to 180 (or 0 to 360), latitudes within -90 to 90. Reproject it to EPSG:4326."
            )
        region = cls(within_180(polygon) if polygon.bounds[0] < -180 or polygon.bounds[2] > 180 else polygon)
        if region.area_km2 > MAX_AREA_KM2:
            raise RegionError(
                f"{where} covers {region.area_km2:,.0f} km2; a region has at most {MAX_AREA_KM2:,.0f} km2. "
                f"Draw a smaller one, or several."
            )
        if region.area_km2 <= 0:
            raise RegionError(f"{where} has no area. Draw it larger.")
        return region

    @property
    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        west, south, east, north = self.polygon.bounds
        return west, south, east, north

    @property
    def edges_lonlat(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees as `from_bounds` takes them: west > east over the antimeridian (RFC 7946, 5.2)."""
        return bounds_on_globe(self.polygon)

    @property
    def area_km2(self) -> float:
        """Area on the WGS 84 ellipsoid, holes left out (they count by their turn, which files do not keep to)."""
        dense = shapely.segmentize(self.polygon, _SIDE_DEG)  # sides follow parallels, not geodesics
        area_m2, _ = _GEOD.geometry_area_perimeter(shapely.orient_polygons(dense))
        return float(abs(area_m2) / 1e6)


def _geometries(tree: Any) -> list[Any]:
    if not isinstance(tree, dict):
        return []
    match tree.get("type"):
        case "FeatureCollection":
            features = tree.get("features") or []
            return [
                item.get("geometry") for item in features if isinstance(item, dict) and item.get("geometry")
            ]
        case "Feature":
            return [tree["geometry"]] if tree.get("geometry") else []
        case _:
            return [tree]
