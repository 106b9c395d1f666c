"""What an embedding tells of where its patch lies in the window that an encoder saw, and how it is taken off.

Encoders with learnt or computed positions write them into every embedding. Their principal components are then a grid
that repeats from window to window, and hides the ground.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.whole_windows import rows_to_fit

Position = Literal["keep", "remove"]
# A mean over fewer windows than this is their ground, not their place.
_LEAST_WINDOWS = 2
# Where fewer of the rows lie on places that were seen twice, what these share is chance, and position is not known.
_LEAST_REPEATED = 0.1


@dataclass(frozen=True)
class PlaceMeans:
    """How the mean embedding of each place in a window differs from the mean of all.

    Attributes:
        layer: as counted by the backbone.
        rows: rows that the means are taken over.
        windows: windows of the most usual shape that they are taken over.
        share: of the total variance that the place explains, 0 to 1, corrected for chance (epsilon squared, Kelley
            1935, "An unbiased correlation ratio measure"); None where hardly any place was seen twice.
        offsets: (h, w) of a window -> (h, w, D) float32, 0 for places that were not seen twice.
    """

    layer: int
    rows: int
    windows: int
    share: float | None
    offsets: Mapping[tuple[int, int], np.ndarray]

    def removed(self, tile: StoredTile, values: np.ndarray) -> np.ndarray:
        """(h, w, D) float32 embeddings of a tile without what their place adds."""
        row, column, h, w = in_window(tile)
        offset = self.offsets.get((h, w))
        if offset is None:
            return values.astype(np.float32)
        return values.astype(np.float32) - offset[row : row + tile.h, column : column + tile.w]


def in_window(tile: StoredTile) -> tuple[int, int, int, int]:
    """First row and column of a tile in its window, rows and columns of the window; stores of earlier versions do not say it, and their tile counts as the window."""
    return tile.in_window or (0, 0, tile.h, tile.w)


def place_means(
    store: EmbeddingStore,
    layer: int | None = None,
    without: PlaceMeans | None = None,
    only: Collection[str] | None = None,
    shown: Iterable[tuple[StoredTile, np.ndarray, np.ndarray]] | None = None,
) -> PlaceMeans:
    """Measure the mean embedding of each place in the window, over the rows of a store whose windows are whole.

    Args:
        layer: as counted by the backbone; None: the store's first.
        without: means that are taken off before.
        only: ids of the tiles that count; None: all.
        shown: tile by tile what is measured, (h, w, D), and the share of valid pixels; None: the embeddings as stored.

    Raises:
        StoreError: no such layer, no row with data, or one row a tile, which has no place in a window.
    """
    if store.meta.granularity == "tile":
        raise StoreError(
            f"{store.folder} has one row a tile, and a tile has no place in its window. Choose --position keep."
        )
    number = store.meta.layers[store.meta.columns.index(store.column(layer))]
    counts = rows_to_fit(store)[0]
    firsts = dict(
        zip(
            (tile.id for tile in store.tiles),
            np.cumsum([0, *(tile.rows for tile in store.tiles)]),
            strict=False,
        )
    )
    counted = [tile for tile in store.tiles if only is None or tile.id in only]
    sums = _Sums(_usual_shapes(counted))
    for tile, values, _ in store.iterate(number) if shown is None else shown:
        is_counted = counts[firsts[tile.id] :][: tile.rows].reshape(tile.h, tile.w)
        if only is None or tile.id in only:
            sums.add(tile, values if without is None else without.removed(tile, values), is_counted)
    return sums.means(number)


def position_share(store: EmbeddingStore, layer: int, without: PlaceMeans | None = None) -> float | None:
    """Share of a layer's variance that the place in the window explains, also after means were taken off.

    Args:
        without: of the layer's own patches, as a view has them.

    Returns:
        None with one row a tile, or where hardly any place was seen twice.
    """
    if store.meta.granularity == "tile":
        return None
    return place_means(store.at_own_patches(layer), layer, without).share


def places_to_remove(store: EmbeddingStore, layer: int | None, position: Position) -> PlaceMeans | None:
    """The means to take off, None where position is kept.

    Raises:
        StoreError: as `place_means`, and where no place was seen twice.
    """
    if position == "keep":
        return None
    found = place_means(store, layer)
    if found.share is None:
        raise StoreError(
            f"{store.folder} has hardly a place in a window that was seen twice, so that position cannot be told from ground. "
            f"Choose --position keep, or extract with smaller tiles."
        )
    return found


def _usual_shapes(tiles: Iterable[StoredTile]) -> Counter[tuple[int, int]]:
    """Windows of each shape that there are two or more of."""
    shapes = Counter(in_window(tile)[2:] for tile in tiles)
    return Counter({shape: count for shape, count in shapes.items() if count >= _LEAST_WINDOWS})


@dataclass
class _Sums:
    """Sums over the rows of each place, about the first tile's mean.

    Attributes:
        totals: (h, w) of a window -> (h, w, D) float64.
        counts: (h, w) of a window -> (h, w) rows.
        squares: sum of all squared numbers.
    """

    shapes: Counter[tuple[int, int]]
    totals: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    counts: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    squares: float = 0.0
    shift: np.ndarray | None = None

    def add(self, tile: StoredTile, values: np.ndarray, is_counted: np.ndarray) -> None:
        """Rows of a tile (h, w, D), where (h, w) bool says so."""
        row, column, *shape = in_window(tile)
        key = (shape[0], shape[1])
        if key not in self.shapes or not is_counted.any():
            return
        if self.shift is None:
            self.shift = values[is_counted].astype(np.float64).mean(axis=0).astype(np.float32)
        if key not in self.totals:
            self.totals[key] = np.zeros((*key, values.shape[-1]))
            self.counts[key] = np.zeros(key, np.int64)
        here = np.s_[row : row + tile.h, column : column + tile.w]
        centred = np.where(is_counted[..., None], values.astype(np.float32) - self.shift, np.float32(0))
        self.totals[key][here] += centred
        self.counts[key][here] += is_counted
        flat = centred.reshape(-1)
        self.squares += float(np.dot(flat, flat))

    def means(self, layer: int) -> PlaceMeans:
        """The means of places, and what they explain."""
        rows = sum(int(counts.sum()) for counts in self.counts.values())
        if not rows:
            return PlaceMeans(layer, 0, 0, None, {})
        overall = np.sum([total.sum(axis=(0, 1)) for total in self.totals.values()], axis=0) / rows
        offsets = {
            shape: _offsets(totals, self.counts[shape], overall) for shape, totals in self.totals.items()
        }
        return PlaceMeans(
            layer, rows, max(int(own.max()) for own in self.counts.values()), self._share(rows), offsets
        )

    def _share(self, rows: int) -> float | None:
        """Share of the variance of places that were seen twice or more; None where few rows lie on such places."""
        places = [(self.totals[shape], counts) for shape, counts in self.counts.items()]
        totals = np.concatenate([total[counts >= _LEAST_WINDOWS] for total, counts in places])
        counts = np.concatenate([own[own >= _LEAST_WINDOWS] for _, own in places])
        repeated = int(counts.sum())
        if repeated < max(_LEAST_REPEATED * rows, 1):
            return None
        once = sum(float((total[own == 1] ** 2).sum()) for total, own in places)
        mean = totals.sum(axis=0) / repeated
        between = float((counts[:, None] * (totals / counts[:, None] - mean) ** 2).sum())
        return _share(between, self.squares - once - repeated * float(mean @ mean), repeated, len(counts))


def _offsets(totals: np.ndarray, counts: np.ndarray, overall: np.ndarray) -> np.ndarray:
    """(h, w, D) float32: how the mean of each place differs from that of all; 0 for places that were not seen twice."""
    offset = totals / np.maximum(counts, 1)[..., None] - overall
    return np.where(counts[..., None] >= _LEAST_WINDOWS, offset, 0).astype(np.float32)


def _share(between: float, total: float, rows: int, places: int) -> float | None:
    """Share of the variance between places, without what as many places of chance would have."""
    if rows <= places or total <= 0:
        return None
    within = max(total - between, 0.0) / (rows - places)
    return float(np.clip(1 - within / (total / (rows - 1)), 0, 1))
