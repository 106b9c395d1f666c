"""Scores of a map against the truth, from integer counts: count over everything, then divide once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CLASSES = ("unburned", "burned")
_BURNED = 1


@dataclass(frozen=True)
class Confusion:
    """Pixels by truth (rows) and prediction (columns); adds over batches and places.

    Ratios are NaN where they are 0 / 0, such as the precision of a map that shows nothing burnt.

    Attributes:
        counts: (K, K) int64.
    """

    counts: np.ndarray

    @classmethod
    def empty(cls, classes: int = len(CLASSES)) -> Confusion:
        """No pixel yet."""
        return cls(np.zeros((classes, classes), dtype=np.int64))

    @classmethod
    def of(cls, truth: np.ndarray, predicted: np.ndarray, classes: int = len(CLASSES)) -> Confusion:
        """Counts of two arrays of one shape; pixels whose truth is negative (missing) are left out."""
        known = truth >= 0
        pairs = truth[known].astype(np.int64) * classes + predicted[known].astype(np.int64)
        return cls(np.bincount(pairs, minlength=classes * classes).reshape(classes, classes))

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(self.counts + other.counts)

    @property
    def pixels(self) -> int:
        """Labelled pixels."""
        return int(self.counts.sum())

    def iou(self, k: int = _BURNED) -> float:
        """Intersection over union (Jaccard index) of a class: TP / (TP + FP + FN)."""
        hit = self.counts[k, k]
        return _ratio(hit, self.counts[k].sum() + self.counts[:, k].sum() - hit)

    def mean_iou(self) -> float:
        """Mean of the classes' IoU; NaN where a class neither stands in the truth nor in the map."""
        return float(np.mean([self.iou(k) for k in range(len(self.counts))]))

    def f1(self, k: int = _BURNED) -> float:
        """Harmonic mean of precision and recall (Dice coefficient): 2 TP / (2 TP + FP + FN)."""
        return _ratio(2 * self.counts[k, k], self.counts[k].sum() + self.counts[:, k].sum())

    def precision(self, k: int = _BURNED) -> float:
        """Share of what the map shows as class k that is."""
        return _ratio(self.counts[k, k], self.counts[:, k].sum())

    def recall(self, k: int = _BURNED) -> float:
        """Share of what is class k that the map shows."""
        return _ratio(self.counts[k, k], self.counts[k].sum())

    def accuracy(self) -> float:
        """Share of all pixels that are right."""
        return _ratio(np.trace(self.counts), self.counts.sum())

    def scores(self) -> dict[str, Any]:
        """Everything that is reported, by name, fit for JSON; what is undefined is None."""
        ratios = {
            "iou_burned": self.iou(1), "iou_unburned": self.iou(0), "miou": self.mean_iou(),
            "f1_burned": self.f1(), "precision_burned": self.precision(), "recall_burned": self.recall(),
            "accuracy": self.accuracy(),
        }  # fmt: skip
        numbers = {name: None if math.isnan(value) else value for name, value in ratios.items()}
        return {
            **numbers,
            "pixels": self.pixels,
            "pixels_burned": int(self.counts[1].sum()),
            "confusion": self.counts.tolist(),
        }


def total(confusions: Sequence[Confusion]) -> Confusion:
    """Sum of some confusions of the same classes."""
    return Confusion(np.sum([item.counts for item in confusions], axis=0))


def iou_interval(
    places: Sequence[Confusion], generator: np.random.Generator, share: float = 0.95, draws: int = 1000
) -> tuple[float, float] | None:
    """Percentile bootstrap of the burnt class's IoU over places, which are drawn whole with replacement.

    Pixels of one place are not independent, so places are the unit (Efron & Tibshirani 1993, chapter 13, for the
    percentile interval).

    Returns:
        Lower and upper bound; None with fewer than three places, or where no draw holds a burnt pixel.
    """
    if len(places) < 3:
        return None
    counts = np.stack([place.counts for place in places])  # (N, 2, 2)
    drawn = generator.multinomial(
        len(places), np.full(len(places), 1 / len(places)), size=draws
    )  # (draws, N)
    sums = np.einsum("dn,nij->dij", drawn, counts)
    hit = sums[:, 1, 1]
    union = hit + sums[:, 1, 0] + sums[:, 0, 1]
    if not (union > 0).any():
        return None
    values = hit[union > 0] / union[union > 0]
    lower, upper = np.quantile(values, [(1 - share) / 2, (1 + share) / 2])
    return float(lower), float(upper)


def _ratio(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else math.nan
