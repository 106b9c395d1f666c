"""Outlines in lon/lat at the antimeridian and around the poles, as GeoJSON wants them (RFC 7946, section 3.1.9)."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.polygon import orient

# Latitudes and half turns within this of their limit are at it: a hundredth of a millimetre.
_AT_LIMIT_DEG = 1e-10
# Parts smaller than this, in square degrees, are rounding: a strip of a tenth of a millimetre along ten metres.
_NO_AREA = 1e-13


def on_globe(ring: np.ndarray, pole: int = 0) -> Polygon | MultiPolygon:
    """A closed ring in lon/lat as a polygon that no reader draws round the world.

    Args:
        ring: (n, 2) degrees, the last place the first again; sides are shorter than half a turn of longitude.
        pole: 1 where the north pole lies inside, -1 for the south pole, 0 for neither; where it lies on the ring, that
            is seen from the ring itself.
    """
    lon, lat = _opened_at_pole(ring, pole)
    lon = np.unwrap(lon, period=360)
    pole = pole or _pole_of(ring)
    if pole:
        lon, lat = np.append(lon, [lon[-1], lon[0]]), np.append(lat, [90.0 * pole, 90.0 * pole])
    return within_180(Polygon(np.column_stack([lon, lat])))


def needs_care(corners: np.ndarray) -> np.ndarray:
    """(N,) bool: which of many closed rings, (N, n, 2) degrees, cross the antimeridian, or hold or touch a pole."""
    steps = np.abs(np.diff(corners[..., 0], axis=1)).max(axis=1)
    return np.asarray(
        (steps >= 180 - _AT_LIMIT_DEG) | (np.abs(corners[..., 1]).max(axis=1) >= 90 - _AT_LIMIT_DEG)
    )


def within_180(polygon: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    """The same area with longitudes from -180 to 180, cut where it crosses the antimeridian, counterclockwise."""
    west, _, east, _ = polygon.bounds
    turns = range(int(np.floor((west + 180) / 360)), int(np.floor((east + 180) / 360)) + 1)
    parts: list[Polygon] = []
    for turn in turns:
        strip = box(360 * turn - 180, -90, 360 * turn + 180, 90)
        own = polygon if len(turns) == 1 else shapely.intersection(polygon, strip)
        parts += [
            part for part in shapely.get_parts(translate(own, xoff=-360 * turn)) if part.area > _NO_AREA
        ]
    parts = parts or list(shapely.get_parts(polygon))
    kept = [orient(part) for part in parts if isinstance(part, Polygon)]
    together = kept[0] if len(kept) == 1 else shapely.union_all(kept)
    if isinstance(together, Polygon):
        return orient(together)
    return MultiPolygon([orient(part) for part in shapely.get_parts(together)])


def bounds_on_globe(shape: Polygon | MultiPolygon) -> tuple[float, float, float, float]:
    """West, south, east, north; west > east where it lies on both sides of the antimeridian (RFC 7946, section 5.2)."""
    west, south, east, north = shape.bounds
    parts = [part.bounds for part in shapely.get_parts(shape)]
    if len(parts) == 1 or west > -180 or east < 180:
        return west, south, east, north
    inner_west = min((part[0] for part in parts if part[0] > -180), default=-180.0)
    inner_east = max((part[2] for part in parts if part[2] < 180), default=180.0)
    return (inner_west, south, inner_east, north) if inner_west > inner_east else (west, south, east, north)


def _pole_of(ring: np.ndarray) -> int:
    """The pole that a ring runs through; 0 for none."""
    steps = np.abs(np.diff(ring[:, 0]))
    on_side = np.abs(steps - 180) <= _AT_LIMIT_DEG
    if not (np.abs(ring[:, 1]).max() >= 90 - _AT_LIMIT_DEG or on_side.any()):
        return 0
    return 1 if ring[:, 1].mean() > 0 else -1


def _opened_at_pole(ring: np.ndarray, pole: int) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of a ring, open where it runs through a pole or (closed) around it."""
    if pole:
        return ring[:, 0], ring[:, 1]
    places = ring[:-1]
    at_pole = np.abs(places[:, 1]) >= 90 - _AT_LIMIT_DEG
    if at_pole.any():
        places = np.roll(places, -int(at_pole.argmax()) - 1, axis=0)
        places = places[np.abs(places[:, 1]) < 90 - _AT_LIMIT_DEG]
    else:
        over = np.abs(np.abs(np.diff(ring[:, 0])) - 180) <= _AT_LIMIT_DEG
        places = np.roll(places, -int(over.argmax()) - 1, axis=0) if over.any() else places
    return places[:, 0], places[:, 1]
