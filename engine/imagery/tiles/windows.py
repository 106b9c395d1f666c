"""A tile, the window that is seen for it, and how large the two are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from affine import Affine
from shapely.geometry.base import BaseGeometry

from engine.imagery.grid import Tile
from engine.imagery.scene import Scene

# Ground that ends within this share of a patch of its border ends there.
_ON_GRID = 1e-6


@dataclass(frozen=True)
class PlannedTile:
    """A tile, the window that is read for it, and its scenes.

    Attributes:
        tile: what the store keeps; tiles of one plan share no ground.
        scenes: one a date, oldest first (a scene without a date comes first).
        window: the pixels to read; the tile itself, or the tile with ground around it.
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
    """

    size_px: int | None
    patch_px: int
    overlap_px: int = 0
    reach_px: int = 0
    gsd_m: float | None = None

    def whole(self, pixels: int) -> int:
        """Pixels rounded up to whole patches."""
        return -(-pixels // self.patch_px) * self.patch_px

    def kept_px(self, size_px: int) -> int:
        """Side of a tile, given the side of a window."""
        return self.whole(size_px) - self.whole(self.overlap_px)

    def window_of(self, tile: Tile, ground_m: tuple[float, float, float, float]) -> Tile:
        """What an encoder sees for a tile: half the overlap on each side, and what shifted passes reach.

        Of an odd number of patches more lie to the south and east. Where the ground ends, the window moves back
        onto it as far as the tile stays inside: an encoder that sees gaps instead tells of them in every patch.
        Shifted passes begin north-west, so that the ground of a row lies amid the patch that it comes from.

        Args:
            ground_m: west, south, east, north of the pixels that there are, in the tile's CRS.
        """
        overlap = self.whole(self.overlap_px)
        if not overlap + self.reach_px:
            return tile
        west, south, east, north = ground_m
        left, top = ~tile.transform @ (west, north)
        right, bottom = ~tile.transform @ (east, south)
        column = self._start(overlap, tile.width, left, right) - self.reach_px // 2
        row = self._start(overlap, tile.height, top, bottom) - self.reach_px // 2
        grown = overlap + self.reach_px
        transform = tile.transform @ Affine.translation(column, row)
        return Tile.of(tile.id, tile.crs, transform, tile.height + grown, tile.width + grown)

    def _start(self, overlap: int, side: int, first: float, end: float) -> int:
        """Where a window begins, in pixels from its tile's first; the ground lies from `first` to `end`."""
        patch = self.patch_px
        start = -(overlap // patch // 2) * patch
        start = max(start, math.ceil(first / patch - _ON_GRID) * patch)
        start = min(start, math.floor((end - side - overlap) / patch + _ON_GRID) * patch)
        return min(max(start, -overlap), 0)
