"""A raster without the ground that an earlier one of the same date has: where tiles overlap, each place is taken once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from affine import Affine
from pyproj import Transformer

from engine.imagery.geobox import applied
from engine.store.products.pixel_grid import Box
from engine.store.products.raster_rows import Readable


@dataclass(frozen=True)
class Laid:
    """A raster of a set, and where it lies.

    Attributes:
        box: the pixels that are taken of it.
        date: number of the date that is taken of it; None where it has one.
    """

    raster: Readable
    crs: str
    transform: Affine
    box: Box
    date: int | None


class Uncovered:
    """Reads a raster, and as gaps the pixels whose middle lies on a pixel with data of an earlier raster."""

    def __init__(self, own: Laid, earlier: Sequence[Laid]) -> None:
        """Nothing is read yet."""
        self._own, self._earlier = own, earlier

    def read(self, box: Box, date: int | None) -> tuple[np.ndarray, np.ndarray]:
        """As `Readable.read`."""
        values, is_valid = self._own.raster.read(box, date)
        for other in self._earlier:
            is_valid &= ~self._covered(box, other)
        values[~is_valid] = 0
        return values, is_valid

    def _covered(self, box: Box, other: Laid) -> np.ndarray:
        """(h, w) bool; of the other raster no more is read than lies there."""
        row, column = self._places(box, other)
        there = other.box
        inside = (row >= there.top) & (row < there.bottom) & (column >= there.left) & (column < there.right)
        covered = np.zeros(row.shape, bool)
        if inside.any():
            rows, columns = row[inside], column[inside]
            window = Box(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
            is_valid = other.raster.read(window, other.date)[1]
            covered[inside] = is_valid[rows - window.top, columns - window.left]
        return covered

    def _places(self, box: Box, other: Laid) -> tuple[np.ndarray, np.ndarray]:
        """(h, w) int64 rows and columns of the other raster at the middles of the pixels of a box."""
        columns, rows = np.meshgrid(
            np.arange(box.left, box.right) + 0.5, np.arange(box.top, box.bottom) + 0.5
        )
        x, y = applied(self._own.transform, columns, rows)
        if other.crs != self._own.crs:
            x, y = _between(self._own.crs, other.crs).transform(x, y)
        column, row = applied(~other.transform, x, y)
        with np.errstate(invalid="ignore"):
            placed = [np.where(np.isfinite(one), np.floor(one), -1).astype(np.int64) for one in (row, column)]
        return placed[0], placed[1]


def may_meet(one: Laid, other: Laid) -> bool:
    """Whether two rasters may share ground: their outlines in the CRS of the second do, with some slack."""
    steps = np.linspace(0, 1, 9)
    across = one.box.left + steps * (one.box.right - one.box.left)
    down = one.box.top + steps * (one.box.bottom - one.box.top)
    x, y = applied(one.transform, *np.meshgrid(across, down))
    if one.crs != other.crs:
        x, y = _between(one.crs, other.crs).transform(x, y)
    column, row = applied(~other.transform, x, y)
    if not np.isfinite(column).all() or not np.isfinite(row).all():
        return False
    box = other.box
    return bool(
        column.min() < box.right
        and column.max() > box.left
        and row.min() < box.bottom
        and row.max() > box.top
    )


@cache
def _between(crs: str, other: str) -> Transformer:
    return Transformer.from_crs(crs, other, always_xy=True)
