"""Ground that was taken already: where files of a catalogue overlap, as at the edge of a UTM zone, each place is taken once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from engine.imagery.geobox import applied
from engine.store.catalogues.remote_files.placed import Placed
from engine.store.products.pixel_grid import Box
from engine.store.schema import StoredTile


@dataclass(frozen=True)
class _Canvas:
    """Cells of one CRS, as large as pixels, from a north-west corner: which are taken."""

    crs: str
    west: float
    north: float
    gsd_m: float
    taken: np.ndarray

    def cells(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows and columns of places, clipped, and whether they are on the canvas."""
        with np.errstate(invalid="ignore"):
            column = np.floor((x - self.west) / self.gsd_m)
            row = np.floor((self.north - y) / self.gsd_m)
        height, width = self.taken.shape
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        return np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int), inside

    def is_taken(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        row, column, inside = self.cells(x, y)
        return np.asarray(inside & self.taken[row, column])


class Ground:
    """The ground of the pixels of several files, taken in the order in which they come."""

    def __init__(self, placed: Sequence[Placed]) -> None:
        """Nothing is taken yet."""
        boxes: dict[str, list[tuple[GeoBox, Box]]] = {}
        for one in placed:
            if one.grid is not None and one.box is not None:
                boxes.setdefault(one.crs, []).append((one.grid, one.box))
        self._canvases = [_canvas(crs, own) for crs, own in boxes.items()]

    def take(self, tile: StoredTile, is_valid: np.ndarray) -> np.ndarray:
        """(h, w) bool: which valid pixels of a tile lie on ground that no pixel before them has; they take it."""
        columns, rows = np.meshgrid(np.arange(tile.w) + 0.5, np.arange(tile.h) + 0.5)
        x, y = applied(Affine(*tile.transform), columns, rows)
        free = is_valid.copy()
        for canvas in self._canvases:
            if canvas.crs == tile.crs:
                free &= ~canvas.is_taken(x, y)
            elif canvas.taken.any():
                there = Transformer.from_crs(tile.crs, canvas.crs, always_xy=True).transform(x, y)
                free &= ~canvas.is_taken(*there)
        own = next(canvas for canvas in self._canvases if canvas.crs == tile.crs)
        row, column, inside = own.cells(x, y)
        kept = free & inside
        own.taken[row[kept], column[kept]] = True
        return free


def _canvas(crs: str, boxes: Sequence[tuple[GeoBox, Box]]) -> _Canvas:
    bounds = np.array(
        [grid[box.top : box.bottom, box.left : box.right].boundingbox.bbox for grid, box in boxes]
    )
    gsd_m = min(abs(float(grid.resolution.x)) for grid, _ in boxes)
    west, north = float(bounds[:, 0].min()), float(bounds[:, 3].max())
    width, height = float(bounds[:, 2].max()) - west, north - float(bounds[:, 1].min())
    shape = int(np.ceil(height / gsd_m - 1e-6)), int(np.ceil(width / gsd_m - 1e-6))
    return _Canvas(crs, west, north, gsd_m, np.zeros(shape, bool))
