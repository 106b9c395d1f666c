"""A split among the tiles that have labels, where a draw among all of them left a split without: few clicked labels do."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import numpy as np
import torch

from engine.errors import LabelError
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import Event, Noticed
from engine.learning.dataset import labels_of_splits, spans_of
from engine.learning.splits.draws import drawn_among
from engine.learning.splits.split import Split
from engine.learning.tasks.task import Task
from engine.store.store import EmbeddingStore


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
        classes = [
            set(np.unique(truth[span.rows]).tolist()) if task.classes else set() for span in spans_of(store)
        ]
        found = drawn_among(store.tiles, has_label, config.split, config.seed, require, classes)
        if found is None or config.watch_tile is not None:
            raise
        yield Noticed(
            f"Labels lie on {int(has_label.sum())} of the {len(has_label)} tiles, and a split of all of them cannot be learned "
            f"from: it is drawn among the tiles with labels."
        )
        return found
    return split
