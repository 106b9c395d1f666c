"""The fixed grid that every tile hangs on: the same ground has the same tile id whoever asks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

# Outlines are densified before they change CRS, so that a straight edge may become a curve.
_SEGMENTS_A_SIDE = 16


@dataclass(frozen=True)
class Tile:
    """One square (or, at a chip's own size, rectangle) of pixels.

    Attributes:
        id: letters, digits, '.', '_' and '-' only.
        crs: authority code or WKT, in metres.
        transform: pixel (column, row) to CRS metres; rows from the north.
        height, width: in pixels.
    """

    id: str
    crs: str
    transform: Affine
    height: int
    width: int

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the tile's CRS."""
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (self.width, self.height)
        return west, south, east, north

    @property
    def gsd_m(self) -> float:
        """Side of a pixel."""
        return float(abs(self.transform.a))

    @property
    def centre_lonlat(self) -> tuple[float, float]:
        """Longitude and latitude of the centre in degrees."""
        x, y = self.transform @ (self.width / 2, self.height / 2)
        lon, lat = to_lonlat(self.crs).transform(x, y)
        return float(lon), float(lat)

    @property
    def footprint(self) -> Polygon:
        """Outline in lon/lat."""
        return outline_lonlat(self.bounds_m, self.crs)


@dataclass(frozen=True)
class TileGrid:
    """Tiles of one size in one CRS, anchored at the CRS origin.

    Attributes:
        crs: authority code or WKT, in metres.
        gsd_m: side of a pixel.
        size_px: side of a tile in pixels.
        phase_m: where pixel corners lie, modulo `gsd_m` (x, y): products of one sensor share it, so that a
            tile is cut from a scene without resampling.
    """

    crs: str
    gsd_m: float
    size_px: int
    phase_m: tuple[float, float] = (0.0, 0.0)

    @property
    def side_m(self) -> float:
        """Side of a tile."""
        return self.gsd_m * self.size_px

    def tile(self, column: int, row: int) -> Tile:
        """The tile of a column (eastward) and row (northward), counted from the CRS origin."""
        west = column * self.side_m + self.phase_m[0]
        north = (row + 1) * self.side_m + self.phase_m[1]
        name = f"{_crs_slug(self.crs)}_{self.gsd_m:g}m_{self.size_px}px_{column}_{row}"
        return Tile(
            name, self.crs, Affine(self.gsd_m, 0, west, 0, -self.gsd_m, north), self.size_px, self.size_px
        )

    def tiles(self, area: BaseGeometry) -> Iterator[Tile]:
        """Tiles that share ground with an area, north to south, west to east.

        Args:
            area: polygon in the grid's CRS, metres.
        """
        west, south, east, north = area.bounds
        columns = range(self._index(west, 0), self._last(east, 0) + 1)
        rows = range(self._last(north, 1), self._index(south, 1) - 1, -1)
        shapely.prepare(area)
        for row in rows:
            for column in columns:
                tile = self.tile(column, row)
                if area.intersects(box(*tile.bounds_m)) and area.intersection(box(*tile.bounds_m)).area > 0:
                    yield tile

    def _index(self, metres: float, axis: int) -> int:
        return math.floor((metres - self.phase_m[axis]) / self.side_m + 1e-9)

    def _last(self, metres: float, axis: int) -> int:
        return math.ceil((metres - self.phase_m[axis]) / self.side_m - 1e-9) - 1


def phase_of(transform: Affine, gsd_m: float) -> tuple[float, float]:
    """Offset of a raster's pixel corners from multiples of `gsd_m`, each in [0, gsd_m), to the millimetre."""
    x, y = (round(math.fmod(math.fmod(v, gsd_m) + gsd_m, gsd_m), 3) for v in (transform.c, transform.f))
    return (0.0 if x == gsd_m else x, 0.0 if y == gsd_m else y)


@cache
def to_lonlat(crs: str) -> Transformer:
    """Transformer from a CRS to lon/lat degrees, x before y on both sides; made once, threads may share it."""
    return Transformer.from_crs(CRS.from_user_input(crs), CRS.from_epsg(4326), always_xy=True)


@cache
def from_lonlat(crs: str) -> Transformer:
    """Transformer from lon/lat degrees to a CRS, x before y on both sides; made once, threads may share it."""
    return Transformer.from_crs(CRS.from_epsg(4326), CRS.from_user_input(crs), always_xy=True)


def outline_lonlat(bounds: tuple[float, float, float, float], crs: str) -> Polygon:
    """Outline in lon/lat of a rectangle (west, south, east, north) of a CRS, its sides densified."""
    west, south, east, north = bounds
    side = max(east - west, north - south) / _SEGMENTS_A_SIDE
    corners = shapely.segmentize(box(west, south, east, north), side).exterior.coords
    return Polygon(np.column_stack(to_lonlat(crs).transform(*np.asarray(corners).T)))


def area_in_crs(polygon: BaseGeometry, crs: str) -> BaseGeometry:
    """A lon/lat polygon in another CRS, its sides densified first."""
    west, south, east, north = polygon.bounds
    dense = shapely.segmentize(polygon, max(east - west, north - south) / _SEGMENTS_A_SIDE)
    convert = from_lonlat(crs).transform
    return shapely.transform(dense, lambda corners: np.column_stack(convert(*corners.T)))


def _crs_slug(crs: str) -> str:
    code = CRS.from_user_input(crs).to_epsg()
    return f"epsg{code}" if code else "custom"
