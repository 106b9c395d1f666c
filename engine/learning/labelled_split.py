"""A split among the tiles that have labels, where a draw among all of them left a split without: few clicked labels do."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from engine.errors import ConfigError, LabelError
from engine.jobs.configuration.config import SplitConfig, TrainConfig
from engine.jobs.events import Event, Noticed
from engine.learning.dataset import labels_of_splits, spans_of
from engine.learning.splits.split import Split, split_tiles
from engine.learning.tasks.task import Task
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

# Of few labelled tiles most draws leave a class out of the training; one of so many keeps it in, where one can.
_DRAWS = 200

Require = Callable[[Mapping[str, np.ndarray]], object]
"""Raises LabelError where the tiles of the splits lack labels."""


def with_labels(
    config: TrainConfig, task: Task, store: EmbeddingStore, truth: np.ndarray, split: Split
) -> Generator[Event, None, Split]:
    """The split, or one among the tiles with labels where the first one cannot be learned from.

    Args:
        truth: (rows, L) labels in the order of the store.

    Raises:
        LabelError: neither can.
    """

    def require(tiles: Mapping[str, np.ndarray]) -> None:
        task.require_labels(labels_of_splits(store, truth, tiles))

    try:
        require(split.tiles)
    except LabelError:
        known = task.is_known(torch.from_numpy(truth)).any(dim=1).numpy()
        has_label = np.array([known[span.rows].any() for span in spans_of(store)])
        found = _among(store.tiles, has_label, config.split, config.seed, require)
        if found is None or config.watch_tile is not None:
            raise
        yield Noticed(
            f"Labels lie on {int(has_label.sum())} of the {len(has_label)} tiles, and a split of all of them cannot be learned "
            f"from: it is drawn among the tiles with labels."
        )
        return found
    return split


def _among(
    tiles: Sequence[StoredTile], has_label: np.ndarray, config: SplitConfig, seed: int, require: Require
) -> Split | None:
    """The first draw among the labelled tiles that can be learned from; None where there is none, or files say the split.

    Args:
        has_label: (tiles,) bool.
    """
    if config.by == "files" or (config.by == "auto" and any(tile.split for tile in tiles)):
        return None
    chosen = np.flatnonzero(has_label)
    own = [tiles[index] for index in chosen.tolist()]
    first = seed if config.seed is None else config.seed
    for draw in range(_DRAWS if config.by != "date" else 1):
        try:
            found = split_tiles(own, config.model_copy(update={"seed": first + draw}), seed)
            split = _of_all(found, chosen, len(tiles))
            require(split.tiles)
        except ConfigError:
            return None  # too few places: other draws have as many
        except LabelError:
            continue
        return split
    return None


def _of_all(found: Split, chosen: np.ndarray, count: int) -> Split:
    """The same split by the indices of all tiles; those without labels are of no place."""
    places = np.full(count, -1)
    places[chosen] = found.places
    return replace(found, tiles={name: chosen[own] for name, own in found.tiles.items()}, places=places)
