"""Footprints of embeddings, polygons in lon/lat, as tiles of a store: rectangles of UTM.

A chip that was cut from an image is a square of the image's UTM zone. At the seam of two zones that may be the next zone than
the one its middle lies in: the zone is taken in which the polygon fills its rectangle best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from engine.imagery.geobox import from_lonlat, utm_or_polar_crs
from engine.store.schema import StoredTile

# A square in a zone beside its own turns by up to two degrees, and fills less than this of its rectangle.
_FILLS = 0.995
# Labels are read on pixels: those of Sentinel-2, whose chips nearly all of these embeddings are of.
PIXEL_M = 10.0
_ZONE_DEG, _UTM_LATITUDES = 6.0, (-80.0, 84.0)


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


def footprints_of(shapes: np.ndarray) -> list[Footprint]:
    """The rectangle of each polygon in lon/lat, in the zone that fits it best."""
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    found = []
    for shape, (lon, lat) in zip(shapes, centres.tolist(), strict=True):
        best = _in(shape, _zone(lon, lat))
        if best.fills < _FILLS:
            beside = [_in(shape, _zone(lon + step, lat)) for step in (-_ZONE_DEG, _ZONE_DEG)]
            best = max(best, *beside, key=lambda one: one.fills)
        found.append(best)
    return found


def tiles_of(
    numbers: np.ndarray, found: Sequence[Footprint], times: Sequence[str | None], name: str
) -> list[StoredTile]:
    """A tile of one patch a row, its footprint cut into pixels of about 10 m.

    Args:
        numbers: of the rows in their file.
        name: of the file.
    """
    sides = np.array([[one.width_m, one.height_m] for one in found]) / PIXEL_M
    usual = np.maximum(1, np.round(np.median(sides, axis=0)))
    pixels = np.where(np.abs(sides - usual) <= 1, usual, np.maximum(1, np.round(sides))).astype(int)
    return [
        StoredTile(
            id=f"row_{number}", crs=one.crs,
            transform=(one.width_m / width, 0.0, one.west, 0.0, -one.height_m / height, one.north), h=1, w=1, height_px=height,
            width_px=width, datetimes=(moment,), scene_ids=(name[:60],), split=None,
        )
        for number, one, moment, (width, height) in zip(numbers.tolist(), found, times, pixels.tolist(), strict=True)
    ]  # fmt: skip


def _zone(lon: float, lat: float) -> str:
    """The UTM zone of a place by its number (EPSG 32601 to 32660, 32701 to 32760): the register of CRSs is slow to ask."""
    if not _UTM_LATITUDES[0] <= lat <= _UTM_LATITUDES[1]:
        return utm_or_polar_crs(lon, lat)
    number = int((lon + 180) % 360 // _ZONE_DEG) + 1
    return f"EPSG:{(32600 if lat >= 0 else 32700) + number}"


def _in(shape: shapely.Geometry, crs: str) -> Footprint:
    x, y = from_lonlat(crs).transform(*shapely.get_coordinates(shape).T)
    west, south, east, north = float(min(x)), float(min(y)), float(max(x)), float(max(y))
    area = float(shapely.area(shapely.transform(shape, lambda _: np.column_stack([x, y]))))
    return Footprint(crs, west, south, east, north, area / max((east - west) * (north - south), 1e-9))
