"""Which pixel of one store lies at the middle of each pixel of another, whatever their grids and CRSs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from pyproj import Transformer

from engine.imagery.geobox import applied
from engine.store.schema import StoredTile

# A window is made this much larger: the sides of a tile may be curved in another CRS.
_SLACK_PX = 2
_ALONG = 5


@dataclass(frozen=True)
class Found:
    """What lies at the pixels of a tile, row-major from the north-west.

    Attributes:
        tiles: (pixels,) int32 number of the other store's tile there, -1 where there is none.
        pixels: (pixels,) int32 number of the pixel in that tile, row-major; 0 where there is none.
    """

    tiles: np.ndarray
    pixels: np.ndarray


class TilesByCrs:
    """Tiles of a store, found by where they lie."""

    def __init__(self, tiles: Sequence[StoredTile], numbers: Sequence[int] | np.ndarray) -> None:
        """Only these tiles are found; where several share ground, the first of the numbers."""
        self._tiles = tiles
        self._numbers: dict[str, list[int]] = {}
        for number in map(int, numbers):
            self._numbers.setdefault(tiles[number].crs, []).append(number)
        self._trees = {
            crs: shapely.STRtree([_box(tiles[number]) for number in own])
            for crs, own in self._numbers.items()
        }

    def at(self, tile: StoredTile) -> Found:
        """What lies at the pixels of a tile."""
        shape = (tile.height_px, tile.width_px)
        found = Found(np.full(shape, -1, np.int32), np.zeros(shape, np.int32))
        for crs, tree in self._trees.items():
            to_other, back = _between(tile.crs, crs), _between(crs, tile.crs)
            x, y = _middles(tile, to_other)
            area = shapely.box(x.min(), y.min(), x.max(), y.max())
            for index in sorted(tree.query(area).tolist()):
                number = self._numbers[crs][index]
                _fill(found, number, self._tiles[number], tile, x, y, back)
        return Found(found.tiles.ravel(), found.pixels.ravel())


def _fill(
    found: Found, number: int, one: StoredTile, tile: StoredTile, x: np.ndarray, y: np.ndarray, back: Transformer | None
) -> None:  # fmt: skip
    """Enter a tile of the other store where it lies and nothing was entered before."""
    window = _window(one, tile, back)
    column, row = (
        np.floor(part).astype(np.int64) for part in applied(~one.pixel_transform, x[window], y[window])
    )
    is_here = (row >= 0) & (row < one.height_px) & (column >= 0) & (column < one.width_px)
    is_here &= found.tiles[window] < 0
    found.tiles[window][is_here] = number
    found.pixels[window][is_here] = (row * one.width_px + column)[is_here]


def _window(one: StoredTile, tile: StoredTile, back: Transformer | None) -> tuple[slice, slice]:
    """Rows and columns of a tile that another tile may lie on."""
    steps = np.linspace(0, 1, _ALONG)
    across, down = (part.ravel() for part in np.meshgrid(steps * one.width_px, steps * one.height_px))
    x, y = applied(one.pixel_transform, across, down)
    if back is not None:
        x, y = back.transform(x, y)
    column, row = applied(~tile.pixel_transform, x, y)
    return _slice(row, tile.height_px), _slice(column, tile.width_px)


def _slice(along: np.ndarray, size: int) -> slice:
    first = max(0, int(np.floor(along.min())) - _SLACK_PX)
    return slice(first, max(first, min(size, int(np.ceil(along.max())) + _SLACK_PX)))


def _middles(tile: StoredTile, to_other: Transformer | None) -> tuple[np.ndarray, np.ndarray]:
    """(height_px, width_px) coordinates of the middles of the pixels, in another CRS."""
    across, down = np.meshgrid(np.arange(tile.width_px) + 0.5, np.arange(tile.height_px) + 0.5)
    x, y = applied(tile.pixel_transform, across, down)
    if to_other is not None:
        x, y = to_other.transform(x, y)
    return x, y


def _box(tile: StoredTile) -> shapely.Polygon:
    west, north = tile.pixel_transform @ (0, 0)
    east, south = tile.pixel_transform @ (tile.width_px, tile.height_px)
    return shapely.box(min(west, east), min(south, north), max(west, east), max(south, north))


@cache
def _between(crs: str, other: str) -> Transformer | None:
    """None where both are one."""
    return None if crs == other else Transformer.from_crs(crs, other, always_xy=True)
