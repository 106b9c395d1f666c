"""Blending: each row as the weighted mean of what all windows that see its ground give for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from engine.extraction.neighbours import windows_that_see
from engine.extraction.pixels.tile_reader import TileRead
from engine.extraction.plan import Plan
from engine.store.schema import TileRows


@dataclass
class _WeightedSum:
    """The windows of a tile added up so far.

    Attributes:
        totals: (h, w, D) float32 a layer: embeddings times their weights.
        weight: (h, w, 1) float32.
        own: the tile's own window, once it came.
    """

    totals: list[np.ndarray]
    weight: np.ndarray
    own: TileRows | None = None

    def means(self, own: TileRows) -> TileRows:
        """The tile's rows."""
        columns = [(total / self.weight).reshape(self.weight.size, -1) for total in self.totals]
        return replace(own, embeddings=tuple(columns))


@dataclass
class Blending:
    """Takes windows in the planned order, gives tiles in the planned order.

    A window counts fully where no other lies beside it, and less towards its sides, linearly over the overlap: from
    one window to the next embeddings change over all the ground that both see. Only windows of the same scenes are
    blended. With tiles row by row (`tile_plan.in_rows`) two rows of them wait, no more.

    Args:
        stored: ids of tiles that are not wanted, for the store has them.
    """

    plan: Plan
    stored: Collection[str]
    _sums: dict[int, _WeightedSum] = field(default_factory=dict)
    _given: int = 0

    def __post_init__(self) -> None:
        windows, own = self.plan.windows, {item.tile.id for item in self.plan.tiles}
        self._number = {item.tile.id: number for number, item in enumerate(windows)}
        self._wanted = [
            number
            for number, item in enumerate(windows)
            if item.tile.id in own and item.tile.id not in self.stored
        ]
        self._onto, self._last = self._neighbours()

    @property
    def needed(self) -> set[str]:
        """Ids of the tiles whose windows see a wanted tile, the wanted ones among them."""
        return {self.plan.windows[number].tile.id for number in self._onto}

    def tiles_of(
        self, reads: Sequence[TileRead], windows: Callable[[], Sequence[TileRows]]
    ) -> Iterator[TileRows]:
        """The tiles that a batch of windows completes."""
        found = {window.tile.id: window for window in windows()}
        for read in reads:
            yield from self.take(read, found.get(read.planned.tile.id))

    def take(self, read: TileRead, window: TileRows | None) -> Iterator[TileRows]:
        """One more window; gives the tiles that no later window sees.

        Args:
            window: the embeddings of all of the window, (rows, D) a layer; None where the tile has no pixels.
        """
        number = self._number[read.planned.tile.id]
        if window is not None:
            for other in self._onto.get(number, ()):
                self._add(number, other, window)
            if number in self._sums:
                self._sums[number].own = window
        while self._given < len(self._wanted) and self._last[self._wanted[self._given]] <= number:
            done = self._sums.pop(self._wanted[self._given], None)
            self._given += 1
            if done is not None and done.own is not None:
                yield done.means(done.own)

    def _add(self, number: int, other: int, window: TileRows) -> None:
        """Add what a window gives for a tile."""
        (h, w), (rows, columns) = self.plan.window_grid(self.plan.windows[number]), self._tile_sides(other)
        top, left = self._place(number, other)
        here = np.s_[max(top, 0) : min(top + rows, h), max(left, 0) : min(left + columns, w)]
        there = np.s_[max(-top, 0) : min(h - top, rows), max(-left, 0) : min(w - left, columns)]
        own_rows, own_columns = self._tile_sides(number)
        weight = _weights(h, w, h - own_rows, w - own_columns)[here]
        maps = [values.reshape(h, w, -1)[here] for values in window.embeddings]
        if other not in self._sums:
            totals = [np.zeros((rows, columns, values.shape[-1]), np.float32) for values in maps]
            self._sums[other] = _WeightedSum(totals, np.zeros((rows, columns, 1), np.float32))
        known = self._sums[other]
        known.weight[there] += weight
        for total, values in zip(known.totals, maps, strict=True):
            total[there] += weight * values

    def _tile_sides(self, number: int) -> tuple[int, int]:
        tile = self.plan.windows[number].tile
        return tile.height // self.plan.cell_px, tile.width // self.plan.cell_px

    def _place(self, number: int, other: int) -> tuple[int, int]:
        """First row and column of a tile among those of a window; outside of it for what it does not see."""
        window, tile = self.plan.windows[number].window, self.plan.windows[other].tile
        column, row = ~window.transform @ (tile.transform.c, tile.transform.f)
        begin = self.plan.reach_px // 2  # the ground of a row lies amid its patch
        return (round(row) - begin) // self.plan.cell_px, (round(column) - begin) // self.plan.cell_px

    def _neighbours(self) -> tuple[dict[int, list[int]], dict[int, int]]:
        """Window -> the wanted tiles that it sees; wanted tile -> the last window that sees it."""
        wanted = [self.plan.windows[number] for number in self._wanted]
        onto: dict[int, list[int]] = {}
        last: dict[int, int] = {}
        for number, other in windows_that_see(self.plan.windows, wanted, self.plan.cell_px):
            onto.setdefault(number, []).append(self._wanted[other])
            last[self._wanted[other]] = number
        return onto, last


@lru_cache(maxsize=8)
def _weights(h: int, w: int, shared_rows: int, shared_columns: int) -> np.ndarray:
    """How much each row of a window counts, (h, w, 1) float32: more than 0, at most 1."""
    down, across = _ramp(h, shared_rows), _ramp(w, shared_columns)
    return (down[:, None] * across[None, :])[..., None].astype(np.float32)


def _ramp(count: int, shared: int) -> np.ndarray:
    """(count,): linear over what is shared, from both ends; the two of neighbours add up to 1 there."""
    from_an_end = np.minimum(np.arange(count), np.arange(count)[::-1]) + 0.5
    return np.minimum(from_an_end / max(shared, 1), 1.0)
