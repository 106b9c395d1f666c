"""A decoder counted on the test pixels that all stores of a leaderboard share."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np
import torch

from engine.labels.patches import to_pixels
from engine.learning.dataset import TrainingData
from engine.learning.heads.decoder import Decoder
from engine.learning.leaderboard.shared_ground.division import Judged
from engine.learning.leaderboard.teaching import Ended, counts_of_tiles
from engine.learning.tasks.task import Task


def tested(
    judged: Mapping[int, Judged] | None, tiles: np.ndarray, decoder: Decoder, task: Task, data: TrainingData,
    has_ended: threading.Event,
) -> np.ndarray:  # fmt: skip
    """(tiles, N) counts on the test tiles of a store, in the order of its split.

    Args:
        judged: by the number of a tile, the pixels that are judged; None: all labels of its own pixels.
        tiles: numbers of the test tiles.

    Raises:
        Ended: `has_ended` was set.
    """
    if judged is None:
        return counts_of_tiles(decoder, task, data, "test", has_ended)
    return _on_pixels(judged, tiles, decoder, task, data, has_ended)


@torch.no_grad()
def _on_pixels(
    judged: Mapping[int, Judged], tiles: np.ndarray, decoder: Decoder, task: Task, data: TrainingData,
    has_ended: threading.Event,
) -> np.ndarray:  # fmt: skip
    found = []
    nothing = np.zeros(0, data.labels.cpu().numpy().dtype)
    for number, span in zip(tiles.tolist(), data.spans["test"], strict=True):
        if has_ended.is_set():
            raise Ended
        own = judged.get(number)
        if own is None:
            found.append(task.counts_of_pixels(nothing, nothing))
            continue
        rows = data.features[span.rows]
        outputs = decoder(rows.view(1, span.tile.h, span.tile.w, -1) if decoder.sees_neighbours else rows)
        predicted = task.predict(outputs).cpu().numpy().reshape(span.tile.rows, -1)
        found.append(task.counts_of_pixels(own.truth, to_pixels(predicted, span.tile).ravel()[own.pixels]))
    return np.stack(found)
