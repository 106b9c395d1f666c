"""Where to look: one polygon in lon/lat, checked at the door."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from pyproj import CRS, Geod
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from shapely.geometry import MultiPolygon, Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from engine.errors import RegionError

# A little more than one Sentinel-2 tile (110 km x 110 km): what two cores still embed within a working day.
MAX_AREA_KM2 = 15_000.0
_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Region:
    """A valid, non-empty polygon in lon/lat (EPSG:4326), within the area limit, not over the antimeridian."""

    polygon: Polygon | MultiPolygon

    @classmethod
    def from_bounds(cls, west: float, south: float, east: float, north: float) -> Region:
        """The rectangle of west, south, east, north in degrees.

        Raises:
            RegionError: the bounds are out of order, out of range or too large.
        """
        if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
            raise RegionError(
                f"bounds were wanted as degrees (longitude -180 to 180, latitude -90 to 90), found "
                f"{west:g}, {south:g}, {east:g}, {north:g}. Check that they are not metres, and their order."
            )
        if west >= east or south >= north:
            raise RegionError(
                f"bounds were wanted as west < east and south < north, found {west:g}, {south:g}, {east:g}, "
                f"{north:g}. Put them in that order; a region over the antimeridian is split in two."
            )
        return cls._checked(box(west, south, east, north))

    @classmethod
    def from_polygon(cls, corners: Sequence[Sequence[float]]) -> Region:
        """The polygon of [lon, lat] corners in degrees, closed or not.

        Raises:
            RegionError: fewer than three corners, a self-crossing outline, out of range or too large.
        """
        if len(corners) < 3 or any(len(corner) < 2 for corner in corners):
            raise RegionError(
                f"a polygon was wanted with three or more corners, found {len(corners)}. Draw it again."
            )
        return cls._checked(Polygon([(float(corner[0]), float(corner[1])) for corner in corners]))

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
    def from_geojson(cls, tree: Any, where: str = "the GeoJSON") -> Region:
        """The one polygon (or multi-polygon) of a GeoJSON object: geometry, feature or collection.

        Raises:
            RegionError: it does not hold one polygon in lon/lat.
        """
        geometries = _geometries(tree)
        if len(geometries) != 1:
            raise RegionError(
                f"{where} was wanted with one polygon, found {len(geometries)}. Keep the one you mean."
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
                f"{where} was wanted with one polygon, found no geometry ({err}). Export it again."
            ) from err
        return cls._checked(found)

    @classmethod
    def _checked(cls, polygon: BaseGeometry) -> Region:
        if not isinstance(polygon, Polygon | MultiPolygon) or polygon.is_empty:
            raise RegionError(f"a region was wanted as a polygon, found {polygon.geom_type}. Draw an area.")
        if not polygon.is_valid:
            raise RegionError(
                f"a region was wanted with an outline that does not cross itself, found: "
                f"{explain_validity(polygon)}. Draw it again, corner after corner."
            )
        west, south, east, north = polygon.bounds
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise RegionError(
                f"a region was wanted in lon/lat degrees, found bounds {west:g}, {south:g}, {east:g}, {north:g}. "
                f"Reproject it to EPSG:4326; a region over the antimeridian is split in two."
            )
        region = cls(polygon)
        if region.area_km2 > MAX_AREA_KM2:
            raise RegionError(
                f"a region of at most {MAX_AREA_KM2:,.0f} km2 was wanted, found {region.area_km2:,.0f} km2. "
                f"Draw a smaller one, or several."
            )
        if region.area_km2 <= 0:
            raise RegionError("a region with an area was wanted, found none. Draw it larger.")
        return region

    @property
    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        west, south, east, north = self.polygon.bounds
        return west, south, east, north

    @property
    def area_km2(self) -> float:
        """Area on the WGS 84 ellipsoid."""
        area_m2, _ = _GEOD.geometry_area_perimeter(self.polygon)
        return float(abs(area_m2) / 1e6)

    @property
    def utm_crs(self) -> CRS:
        """UTM zone (WGS 84) of the region's centre."""
        centre = self.polygon.centroid
        return utm_crs_at(centre.x, centre.y)


def utm_crs_at(lon: float, lat: float) -> CRS:
    """UTM zone (WGS 84) of a place in degrees.

    Raises:
        RegionError: no UTM zone covers the place (the polar caps).
    """
    found = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat))
    if not found:
        raise RegionError(
            f"a place inside a UTM zone was wanted, found lon {lon:g}, lat {lat:g}. Stay within 80 S to 84 N."
        )
    return CRS.from_epsg(int(found[0].code))


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
