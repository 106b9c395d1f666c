"""A raster of embeddings, one a pixel, on a grid in metres whose first row is the northernmost one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from odc.geo.geobox import GeoBox

from engine.errors import OnlyGaps, RegionError
from engine.imagery.geobox import area_in_crs
from engine.imagery.region import Region

# Where numbers are looked at before anything is written: windows of this side, so many along each side of the raster.
_LOOKED_PX, _LOOKED_ALONG = 16, 6
# Where these hold gaps alone, all is searched, of large rasters a part.
_SEARCHED_PX, _MOST_SEARCHED_PX = 256, 2048


@dataclass(frozen=True)
class Box:
    """Rows and columns of a raster, half-open, counted from the north-west."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def rows(self) -> int:
        """Pixels in it."""
        return (self.bottom - self.top) * (self.right - self.left)


Read = Callable[[Box], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class PixelGrid:
    """A raster of embeddings that is open for reading.

    Attributes:
        grid: north-up, in metres.
        dim: dimensions of an embedding.
        read: (h, w, D) stored numbers of a box and (h, w) bool, False for gaps.
        bands: names of the dimensions, empty where the file has none.
        scales, offsets: one a dimension, as the file states them.
        nodata: what marks a gap, in words.
        notes: how pixels were placed, where that is not as stored.
        tags: of the file.
        dates: number in the file and moment (ISO 8601) of each date that is taken, where the file states several; else empty.
        read_date: `read` of a date by its number; None where the file has no dates.
        decoded: how `read` has decoded the numbers already, in words; empty where it gives them as stored.
    """

    grid: GeoBox
    dim: int
    read: Read
    bands: tuple[str, ...]
    scales: Sequence[float]
    offsets: Sequence[float]
    nodata: str
    is_integer: bool
    notes: tuple[str, ...]
    tags: dict[str, str]
    decoded: str = ""
    dates: tuple[tuple[int, str], ...] = ()
    read_date: Callable[[Box, int], tuple[np.ndarray, np.ndarray]] | None = None

    def read_of(self, box: Box, date: int | None) -> tuple[np.ndarray, np.ndarray]:
        """`read` of a date by its number in the file; None: of the only one."""
        return self.read(box) if date is None or self.read_date is None else self.read_date(box, date)


def box_of(grid: GeoBox, region: Region | None, where: str) -> Box:
    """The pixels of the rectangle around a region; all where there is none.

    Raises:
        RegionError: the region and the raster do not overlap.
    """
    height, width = grid.shape
    if region is None:
        return Box(0, 0, height, width)
    area = area_in_crs(region.polygon, str(grid.crs))
    a, _, west, _, e, north = grid.transform[:6]
    if not area.is_empty:
        held = shapely.box(west, north + e * height, west + a * width, north)
        area = area.intersection(held)
    if area.is_empty or area.area == 0:
        raise RegionError(f"The region and {where} do not overlap. Choose a region inside the file's bounds.")
    left, bottom, right, top = area.bounds
    slack = 1e-6
    return Box(
        max(0, int(np.floor((north - top) / -e + slack))), max(0, int(np.floor((left - west) / a + slack))),
        min(height, int(np.ceil((north - bottom) / -e - slack))), min(width, int(np.ceil((right - west) / a - slack))),
    )  # fmt: skip


def sample(found: PixelGrid, box: Box, where: str, along: int = _LOOKED_ALONG) -> np.ndarray:
    """(n, D) stored numbers without gaps, from windows spread over a box; where they hold none, from the first that does.

    Args:
        along: how many windows along a side.

    Raises:
        OnlyGaps: there are only gaps.
    """
    windows = [
        Box(top, left, min(top + _LOOKED_PX, box.bottom), min(left + _LOOKED_PX, box.right))
        for top in _starts(box.top, box.bottom, along)
        for left in _starts(box.left, box.right, along)
    ]
    vectors = np.concatenate([_known(found, window) for window in windows])
    if len(vectors):
        return vectors
    for top in range(box.top, box.bottom, _SEARCHED_PX):
        for left in range(box.left, min(box.right, box.left + _MOST_SEARCHED_PX), _SEARCHED_PX):
            if top - box.top < _MOST_SEARCHED_PX:
                window = Box(
                    top, left, min(top + _SEARCHED_PX, box.bottom), min(left + _SEARCHED_PX, box.right)
                )
                vectors = _known(found, window)
                if len(vectors):
                    return vectors
    raise OnlyGaps(f"{where} holds only gaps where it was looked at. Choose another file or region.")


def _known(found: PixelGrid, window: Box) -> np.ndarray:
    """(n, D) stored numbers of a window without gaps."""
    values, is_valid = found.read(window)
    return values[is_valid]


def _starts(first: int, end: int, along: int) -> list[int]:
    last = max(first, end - _LOOKED_PX)
    return sorted({int(start) for start in np.linspace(first, last, along)})
