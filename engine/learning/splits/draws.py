"""Draws of a split among the tiles that have labels, of which the one is taken that judges the most classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from engine.errors import ConfigError, LabelError
from engine.jobs.configuration.config import SplitConfig
from engine.learning.splits.split import Split, split_tiles
from engine.store.schema import StoredTile

# Of few labelled tiles most draws leave a class out of the training; one of so many keeps it in, where one can.
_DRAWS = 200

Require = Callable[[Mapping[str, np.ndarray]], object]
"""Raises LabelError where the tiles of the splits lack labels."""


def drawn_among(
    tiles: Sequence[StoredTile], has_label: np.ndarray, config: SplitConfig, seed: int, require: Require,
    classes: Sequence[set[int]],
) -> Split | None:  # fmt: skip
    """Of the draws among the labelled tiles that can be learned from, that with most classes in validation and test.

    Args:
        has_label: (tiles,) bool.
        classes: of each tile; empty where numbers are learned, and the first draw is taken.

    Returns:
        None where no draw can be learned from, or files say the split.
    """
    if config.by == "files" or (config.by == "auto" and any(tile.split for tile in tiles)):
        return None
    chosen = np.flatnonzero(has_label)
    own = [tiles[index] for index in chosen.tolist()]
    first = seed if config.seed is None else config.seed
    best, most = None, -1
    for draw in range(_DRAWS if config.by != "date" else 1):
        try:
            found = split_tiles(own, config.model_copy(update={"seed": first + draw}), seed)
            split = _of_all(found, chosen, len(tiles))
            judged = sum(_classes_of(split, name, classes) for name in ("validation", "test"))
            if judged > most:
                require(split.tiles)
                best, most = split, judged
        except ConfigError:
            return best  # too few places
        except LabelError:
            continue
        if best is not None and most >= 2 * len(set().union(*classes) - {-1}):
            break
    return best


def _classes_of(split: Split, name: str, classes: Sequence[set[int]]) -> int:
    """How many classes a split has."""
    return len(set().union(*(classes[index] for index in split.tiles[name].tolist())) - {-1})


def _of_all(found: Split, chosen: np.ndarray, count: int) -> Split:
    """The same split by the indices of all tiles; those without labels are of no place."""
    places = np.full(count, -1)
    places[chosen] = found.places
    return replace(found, tiles={name: chosen[own] for name, own in found.tiles.items()}, places=places)
