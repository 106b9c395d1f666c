"""The fixed grid that every tile hangs on: the same ground has the same tile id whoever asks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from engine.imagery.geobox import bounds_of, crs_slug, gsd_m, outline_lonlat, to_lonlat


@dataclass(frozen=True)
class Tile:
    """One square (or, at a chip's own size, rectangle) of pixels.

    Attributes:
        id: letters, digits, '.', '_' and '-' only.
        grid: its pixels: north-up squares in a CRS in metres.
    """

    id: str
    grid: GeoBox

    @classmethod
    def of(cls, name: str, crs: str, transform: Affine, height: int, width: int) -> Self:
        """The tile of some pixels."""
        return cls(name, GeoBox((height, width), transform, crs))

    @property
    def crs(self) -> str:
        """Authority code or WKT, in metres."""
        return str(self.grid.crs)

    @property
    def transform(self) -> Affine:
        """Pixel (column, row) to CRS metres; rows from the north."""
        return self.grid.transform

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.grid.height)

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.grid.width)

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the tile's CRS."""
        return bounds_of(self.grid)

    @property
    def gsd_m(self) -> float:
        """Side of a pixel."""
        return gsd_m(self.grid)

    @property
    def centre_lonlat(self) -> tuple[float, float]:
        """Longitude and latitude of the centre in degrees."""
        x, y = self.transform @ (self.width / 2, self.height / 2)
        lon, lat = to_lonlat(self.crs).transform(x, y)
        return float(lon), float(lat)

    @property
    def footprint(self) -> Polygon | MultiPolygon:
        """Outline in lon/lat."""
        return outline_lonlat(self.grid)


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
        name = f"{crs_slug(self.crs)}_{self.gsd_m:g}m_{self.size_px}px_{column}_{row}"
        return Tile.of(
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
                square = shapely.box(*tile.bounds_m)
                if area.intersects(square) and area.intersection(square).area > 0:
                    yield tile

    def _index(self, metres: float, axis: int) -> int:
        return math.floor((metres - self.phase_m[axis]) / self.side_m + 1e-9)

    def _last(self, metres: float, axis: int) -> int:
        return math.ceil((metres - self.phase_m[axis]) / self.side_m - 1e-9) - 1


def phase_of(transform: Affine, gsd_m: float) -> tuple[float, float]:
    """Offset of a raster's pixel corners from multiples of `gsd_m`, each in [0, gsd_m), to the millimetre."""
    x, y = (round(math.fmod(math.fmod(v, gsd_m) + gsd_m, gsd_m), 3) for v in (transform.c, transform.f))
    return (0.0 if x == gsd_m else x, 0.0 if y == gsd_m else y)
