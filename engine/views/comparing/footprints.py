"""One view read on the patches of another: the mean of its patches that lie in each."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely
from pyproj import Transformer

from engine.imagery.geobox import applied
from engine.store.schema import StoredTile
from engine.views.comparing.dated_view import DatedView

# Tiles kept for their next neighbour, for neighbours stand near one another in a store.
_KEPT_BYTES = 128_000_000
# Patches that lie off others by less than this share of a patch are the same.
_SAME = 0.01


class OnFootprints:
    """Reads a view on the patches of other stores' tiles, whatever their grid and CRS."""

    def __init__(self, view: DatedView) -> None:
        """Find out where its tiles lie."""
        self._view = view
        dim = view.store.meta.dims[view.store.meta.layers.index(view.view.layer)]
        largest = max(tile.rows for tile in view.chosen) * dim * 4
        self._read = lru_cache(maxsize=max(4, _KEPT_BYTES // largest))(view.view.read_tile)
        self._beside = lru_cache(maxsize=8)(self._tree)
        self.is_resampled = False

    def onto(self, tile: StoredTile) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings (h, w, D) float32 on the patches of a tile, and (h, w) bool: where there are any.

        A patch holds the mean of the view's patches whose middles lie in it, or the one that holds its middle.
        """
        found: np.ndarray | None = None
        counts = np.zeros(tile.rows, np.int64)
        missed: list[StoredTile] = []
        for other in self._meeting(tile):
            values, valid = self._read(other)
            found = np.zeros((tile.rows, values.shape[-1]), np.float32) if found is None else found
            cells = self._cells(other, tile)
            counts_here = (cells >= 0) & (valid.ravel() > 0)
            _add(found, counts, cells[counts_here], values.reshape(other.rows, -1)[counts_here])
            missed.append(other)
        if found is None:
            return np.zeros((tile.h, tile.w, 0), np.float32), np.zeros((tile.h, tile.w), bool)
        found /= np.maximum(counts, 1)[:, None]
        for other in missed:
            empty = np.flatnonzero(counts == 0)
            if not len(empty):
                break
            values, valid = self._read(other)
            holding = self._cells(tile, other)[
                empty
            ]  # which patch of the other holds the middle of an empty one
            takes = (holding >= 0) & (valid.ravel()[holding] > 0)
            found[empty[takes]] = values.reshape(other.rows, -1)[holding[takes]]
            counts[empty[takes]] = 1
        return found.reshape(tile.h, tile.w, -1), (counts > 0).reshape(tile.h, tile.w)

    def _cells(self, here: StoredTile, there: StoredTile) -> np.ndarray:
        """(rows of here,) which row of another tile holds the middle of each patch, -1 where none does."""
        column, row = np.meshgrid(np.arange(here.w) + 0.5, np.arange(here.h) + 0.5)
        x, y = applied(here.patch_transform, column.ravel(), row.ravel())
        if here.crs != there.crs:
            x, y = _between(here.crs, there.crs).transform(x, y)
            self.is_resampled = True
        column, row = applied(~there.patch_transform, x, y)
        self.is_resampled |= bool(_off_middle(column, row) > _SAME)
        # What lies on a line between two patches belongs to the one below and to the right.
        column, row = (np.floor(np.round(at, 6)) for at in (column, row))
        is_inside = (column >= 0) & (column < there.w) & (row >= 0) & (row < there.h)
        return np.where(is_inside, row * there.w + column, -1).astype(np.int64)

    def _meeting(self, tile: StoredTile) -> list[StoredTile]:
        """Tiles of the view that share ground with a tile."""
        tree = self._beside(tile.crs)
        found = tree.query(_outline(tile, tile.crs), predicate="intersects")
        return [self._view.chosen[index] for index in sorted(found.tolist())]

    def _tree(self, crs: str) -> shapely.STRtree:
        return shapely.STRtree([_outline(tile, crs) for tile in self._view.chosen])


def _add(total: np.ndarray, counts: np.ndarray, cells: np.ndarray, values: np.ndarray) -> None:
    """Add (n, D) values to the rows of a total that (n,) says, in place, and count them."""
    if not len(cells):
        return
    order = np.argsort(cells, kind="stable")
    own, starts = np.unique(cells[order], return_index=True)
    if len(own) == len(cells):
        total[own] += values[order]
    else:
        total[own] += np.add.reduceat(values[order].astype(np.float32), starts, axis=0)
    counts[own] += np.diff([*starts, len(cells)])


def _off_middle(column: np.ndarray, row: np.ndarray) -> float:
    """How far the first point lies off the middle of the patch that holds it, in patches."""
    return max(abs(float(at[0]) % 1 - 0.5) for at in (column, row)) if len(column) else 0.0


@lru_cache(maxsize=64)
def _between(crs: str, other: str) -> Transformer:
    return Transformer.from_crs(crs, other, always_xy=True)


def _outline(tile: StoredTile, crs: str) -> shapely.Polygon:
    """The tile's corners in a CRS; empty where the CRS does not reach that far."""
    corners = [(0, 0), (tile.width_px, 0), (tile.width_px, tile.height_px), (0, tile.height_px)]
    x, y = np.array([tile.pixel_transform @ corner for corner in corners]).T
    if tile.crs != crs:
        x, y = _between(tile.crs, crs).transform(x, y)
    points = np.column_stack([x, y])
    return shapely.Polygon(points if np.isfinite(points).all() else None)
