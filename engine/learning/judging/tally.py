"""Labels counted by the probability that the decoder gave them: what curves and thresholds are computed from.

A probability is kept in steps of a two-hundredth, as maps keep it, so that a threshold that is a step cuts exactly; the mean
probability of each step is kept beside it. Tallies add over batches and tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.labels.reading import MISSING
from engine.views.maps.probability_map import STEPS

if TYPE_CHECKING:
    import torch

    from engine.learning.tasks.task import Task


@dataclass(frozen=True)
class Tally:
    """Known labels of one class by their probability.

    Attributes:
        counts: (2, STEPS + 1) int64: not the class and the class, by bin; bin k holds (k - 1) / STEPS < p <= k / STEPS.
        sums: (STEPS + 1,) float64, sum of the probabilities of each bin.
    """

    counts: np.ndarray
    sums: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, probability: np.ndarray) -> Tally:
        """Count arrays of one shape: 1 the class, 0 not, negative missing; probabilities from 0 to 1."""
        known = truth >= 0
        asked = probability[known].astype(np.float64)
        bins = np.clip(np.ceil(asked * STEPS - 1e-9), 0, STEPS).astype(np.int64)
        pairs = truth[known].astype(np.int64) * (STEPS + 1) + bins
        counts = np.bincount(pairs, minlength=2 * (STEPS + 1)).reshape(2, STEPS + 1)
        return cls(counts, np.bincount(bins, asked, minlength=STEPS + 1))

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.counts + other.counts, self.sums + other.sums)

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> Tally:
        """What `to_json` wrote."""
        return cls(np.array(tree["counts"], np.int64), np.array(tree["sums"], np.float64))

    def to_json(self) -> dict[str, Any]:
        """Counts and sums as lists."""
        return {"counts": self.counts.tolist(), "sums": [round(value, 6) for value in self.sums.tolist()]}

    def confusion_above(self, step: int) -> np.ndarray:
        """(4,) true negatives, false alarms, misses and hits where p > step / STEPS counts as the class."""
        below, above = self.counts[:, : step + 1].sum(axis=1), self.counts[:, step + 1 :].sum(axis=1)
        return np.array([below[0], above[0], below[1], above[1]])


def classes_with_probability(task: Task) -> tuple[int, ...]:
    """Indexes of the classes whose probability a decoder gives on its own: of two the second, else all; none for numbers."""
    if not task.classes:
        return ()
    return (1,) if task.values == 1 else tuple(range(len(task.classes)))


def tallies_of(task: Task, outputs: torch.Tensor, labels: np.ndarray, is_valid: np.ndarray) -> list[Tally]:
    """One tally for each of `classes_with_probability`.

    Args:
        outputs: (rows, L) as a head gives them; labels: (rows, M) as the task has them.
        is_valid: (rows,) bool: rows without a valid pixel have no probability.
    """
    import torch

    asked, several = classes_with_probability(task), task.link == "logit" and task.values > 1
    known = np.where(is_valid[:, None], labels, MISSING)
    with torch.no_grad():
        raw = outputs.double()
        if task.values == 1:
            shares = raw.sigmoid()[..., None]
        elif several:
            shares = raw.sigmoid()[:, None, :]
        else:
            shares = raw.unflatten(-1, (-1, task.values)).softmax(dim=-1)
    if several:
        return [Tally.of(known[:, k], shares[:, 0, at].numpy()) for at, k in enumerate(asked)]
    return [
        Tally.of(np.where(known < 0, MISSING, known == k), shares[..., at].numpy())
        for at, k in enumerate(asked)
    ]
