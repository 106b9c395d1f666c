"""A tile, the window that is seen for it, and how large the two are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from engine.imagery.grid import Tile
from engine.imagery.scene import Scene

Bounds = tuple[float, float, float, float]
"""West, south, east, north in metres."""
# Ground that ends within this share of a patch of its border ends there.
_ON_GRID = 1e-6


@dataclass(frozen=True)
class PlannedTile:
    """A tile, the window that is read for it, and its scenes.

    Attributes:
        tile: what the store keeps; tiles of one plan share no ground.
        scenes: one a date, oldest first (a scene without a date comes first).
        window: the pixels to read; the tile itself, or the tile with ground around it. It sees more of the ground on
            one side where the scene ends on the other.
        area: part of the tile that was asked for, in its CRS; None: all of it.
        fills: scenes from which gaps of the only date are filled, the first one first.
    """

    tile: Tile
    scenes: tuple[Scene, ...]
    window: Tile
    area: BaseGeometry | None = None
    fills: tuple[Scene, ...] = ()

    @property
    def margin_px(self) -> tuple[int, int]:
        """Pixels of the window north and west of the tile."""
        column, row = ~self.window.transform @ (self.tile.transform.c, self.tile.transform.f)
        return round(row), round(column)


@dataclass(frozen=True)
class Tiling:
    """How ground is cut.

    With overlap an encoder sees windows of `size_px` that share `overlap_px`; of each only the middle is stored, whose
    patches are farther from an edge than in any other window. The middles are the tiles.

    Attributes:
        size_px: side of a window that an encoder sees; None: a chip's own size.
        patch_px: windows and what is kept of them are whole multiples of it.
        overlap_px: shared by neighbouring windows.
        reach_px: pixels by which an encoder's last shifted pass lies after its first; 0: one pass.
        gsd_m: ground sampling distance to resample to; None keeps each scene's own.
        row_px: side of the patch of a row, which divides `patch_px`; None: `patch_px`.
    """

    size_px: int | None
    patch_px: int
    overlap_px: int = 0
    reach_px: int = 0
    gsd_m: float | None = None
    row_px: int | None = None

    def whole(self, pixels: int) -> int:
        """Pixels rounded up to whole patches."""
        return -(-pixels // self.patch_px) * self.patch_px

    def kept_px(self, size_px: int) -> int:
        """Side of a tile, given the side of a window."""
        return self.whole(size_px) - self.whole(self.overlap_px)

    def placed(self, tile: Tile, ground: BaseGeometry) -> tuple[Tile, Tile]:
        """The part of a tile that there are pixels for, in whole patches of rows, and the window that is seen for it.

        A window has half the overlap on each side, and what shifted passes reach. Where the ground ends, it moves
        back onto it as far as the tile stays inside: an encoder that sees padding tells of it in every patch. Where
        the ground is smaller than a window, so is the window. Of an odd number of patches more lie to the south and
        east. Shifted passes begin north-west, so that the ground of a row lies amid the patch that it comes from.

        Args:
            ground: of the pixels that there are, in the tile's CRS; it shares ground with the tile.
        """
        kept = ground.intersection(shapely.box(*tile.bounds_m)).bounds
        columns, rows = (self._side(tile, kept, ground.bounds, axis) for axis in (0, 1))
        own = tile.transform @ Affine.translation(columns.first, rows.first)
        seen = tile.transform @ Affine.translation(columns.start, rows.start)
        return (
            Tile.of(tile.id, tile.crs, own, rows.end - rows.first, columns.end - columns.first),
            Tile.of(tile.id, tile.crs, seen, rows.length, columns.length),
        )

    def _side(self, tile: Tile, kept: Bounds, ground: Bounds, axis: int) -> _Side:
        """Where a tile and its window lie along an axis, in pixels from the tile's first."""
        side, step = (tile.width, tile.height)[axis], self.row_px or self.patch_px
        first, end = _along(tile, kept, axis)
        first = min(max(_down(first, step), 0), side - step)
        end = max(min(_up(end, step), side), first + step)
        begins, ends = _along(tile, ground, axis)
        overlap = self.whole(self.overlap_px)
        length = min(side + overlap, self.whole(_up(ends, step) - _down(begins, step)))
        start = -(overlap // self.patch_px // 2) * self.patch_px
        start = max(min(start, _down(ends, step) - length), _up(begins, step))
        start = max(min(start, first), end - length)
        return _Side(first, end, start - self.reach_px // 2, length + self.reach_px)


@dataclass(frozen=True)
class _Side:
    """Where a tile (`first` to `end`) and its window (from `start`) lie along an axis, in pixels."""

    first: int
    end: int
    start: int
    length: int


def _along(tile: Tile, bounds_m: Bounds, axis: int) -> tuple[float, float]:
    """Where a rectangle begins and ends from the west or from the north, in pixels from a tile's first."""
    west, south, east, north = bounds_m
    grid = tile.transform  # north-up
    begins, ends, origin, step = (west, east, grid.c, grid.a) if axis == 0 else (north, south, grid.f, grid.e)
    return (begins - origin) / step, (ends - origin) / step


def _down(place: float, step: int) -> int:
    return math.floor(place / step + _ON_GRID) * step


def _up(place: float, step: int) -> int:
    return math.ceil(place / step - _ON_GRID) * step
