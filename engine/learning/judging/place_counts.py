"""Counts of each test place: what scores by place, intervals and paired differences are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.learning.splits.places import place_numbers
from engine.store.schema import StoredTile


@dataclass(frozen=True)
class PlaceCounts:
    """Counts of a method by place.

    Attributes:
        tiles: ids of the tiles of each place, ascending; the first of them is the place's name.
        counts: (places, N) as the task's `counts_of_pixels` gives them.
    """

    tiles: tuple[tuple[str, ...], ...]
    counts: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each place: its first tile."""
        return tuple(own[0] for own in self.tiles)

    @classmethod
    def of_tiles(cls, every: Sequence[StoredTile], chosen: Sequence[int], counts: np.ndarray) -> PlaceCounts:
        """Counts of some tiles of a store added up for each place; places where nothing was counted are no test.

        Args:
            every: all tiles of the store, which decide what a place is.
            chosen: indices of the tiles that were counted.
            counts: (chosen, N).
        """
        numbers = place_numbers(every)[list(chosen)]
        ids = np.array([every[index].id for index in chosen])
        places = np.unique(numbers[counts.any(axis=1)])
        tiles = tuple(tuple(sorted(ids[numbers == place].tolist())) for place in places)
        sums = [counts[numbers == place].sum(axis=0) for place in places]
        return cls(tiles, np.array(sums, counts.dtype).reshape(len(places), counts.shape[1]))

    @classmethod
    def from_json(cls, tree: Sequence[dict[str, Any]]) -> PlaceCounts:
        """What `to_json` wrote."""
        return cls(tuple(tuple(one["tiles"]) for one in tree), np.array([one["counts"] for one in tree]))

    def to_json(self) -> list[dict[str, Any]]:
        """One mapping a place: tiles and counts."""
        return [
            {"tiles": list(tiles), "counts": counts}
            for tiles, counts in zip(self.tiles, self.counts.tolist(), strict=True)
        ]


def on_same_places(several: Sequence[PlaceCounts]) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Names of the places that all have with the same tiles, and the counts of each on them, (places, N), in one order.

    Only these can be paired: a place with more tiles in one than in the other is another place.
    """
    held = [dict(zip(one.tiles, one.counts, strict=True)) for one in several]
    shared = [tiles for tiles in several[0].tiles if all(tiles in own for own in held)]
    width = several[0].counts.shape[1]
    found = [np.stack([own[tiles] for tiles in shared]) if shared else np.zeros((0, width)) for own in held]
    return tuple(tiles[0] for tiles in shared), found
