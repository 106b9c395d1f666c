"""Footprints of embeddings, polygons in lon/lat, as tiles of a store: rectangles of UTM.

A chip that was cut from an image is a square of the image's UTM zone. At the seam of two zones that may be the next zone than
the one its middle lies in: the zone is taken in which the polygon fills its rectangle best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from engine.errors import StoreError
from engine.imagery.geobox import from_lonlat, utm_or_polar_crs
from engine.imagery.raster.rasters import in_short

# A square in a zone beside its own turns by up to two degrees, and fills less than this of its rectangle.
_FILLS = 0.995
_ZONE_DEG = 6.0


@dataclass(frozen=True)
class Footprint:
    """A rectangle in a CRS in metres.

    Attributes:
        fills: which part of the rectangle the polygon fills, 0 to 1.
    """

    crs: str
    west: float
    south: float
    east: float
    north: float
    fills: float

    @property
    def width_m(self) -> float:
        """From west to east."""
        return self.east - self.west

    @property
    def height_m(self) -> float:
        """From south to north."""
        return self.north - self.south


def polygons_of(wkb: Sequence[bytes | None], where: str) -> np.ndarray:
    """The polygons of WKB values.

    Raises:
        StoreError: a row has none, or something else than a polygon.
    """
    missing = sum(one is None for one in wkb)
    if missing:
        raise StoreError(
            f"{where} has {missing:,} of {len(wkb):,} rows without a geometry. Leave these rows out."
        )
    try:
        shapes = shapely.from_wkb(np.array(wkb, object))
    except shapely.GEOSException as err:
        raise StoreError(
            f"The geometries of {where} are no WKB ({in_short(err)}). Write the file again."
        ) from err
    kinds = shapely.get_type_id(shapes)
    is_polygon = (kinds == 3) | ((kinds == 6) & (shapely.get_num_geometries(shapes) == 1))
    is_usable = is_polygon & ~shapely.is_empty(shapes) & np.isfinite(shapely.bounds(shapes)).all(axis=1)
    if not is_usable.all():
        raise StoreError(
            f"{where} has {int((~is_usable).sum()):,} of {len(wkb):,} rows whose geometry is no single polygon: the ground of an "
            f"embedding is not known from a point. Give polygons."
        )
    return shapes


def footprints_of(shapes: np.ndarray) -> list[Footprint]:
    """The rectangle of each polygon in lon/lat, in the zone that fits it best."""
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    zones: dict[tuple[float, bool, bool], str] = {}
    found = []
    for shape, (lon, lat) in zip(shapes, centres.tolist(), strict=True):
        best = _in(shape, _zone(lon, lat, zones))
        if best.fills < _FILLS:
            beside = [_in(shape, _zone(lon + step, lat, zones)) for step in (-_ZONE_DEG, _ZONE_DEG)]
            best = max(best, *beside, key=lambda one: one.fills)
        found.append(best)
    return found


def _zone(lon: float, lat: float, known: dict[tuple[float, bool, bool], str]) -> str:
    """The UTM zone of a place; asked once a zone, at its middle, for the register of CRSs is slow."""
    middle = float(np.floor(lon / _ZONE_DEG) * _ZONE_DEG + _ZONE_DEG / 2)
    key = (middle, lat >= 0, -80 <= lat <= 84)
    if key not in known:
        known[key] = utm_or_polar_crs(middle, lat)
    return known[key]


def _in(shape: shapely.Geometry, crs: str) -> Footprint:
    x, y = from_lonlat(crs).transform(*shapely.get_coordinates(shape).T)
    west, south, east, north = float(min(x)), float(min(y)), float(max(x)), float(max(y))
    area = float(shapely.area(shapely.transform(shape, lambda _: np.column_stack([x, y]))))
    return Footprint(crs, west, south, east, north, area / max((east - west) * (north - south), 1e-9))
