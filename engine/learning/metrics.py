"""Scores of a map against the truth, from integer counts: count over everything, then divide once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_SOUGHT = 1


@dataclass(frozen=True)
class Confusion:
    """Pixels by truth (rows) and prediction (columns); adds over batches and tiles.

    Ratios are NaN where they are 0 / 0, such as the precision of a class that no pixel of the map has.

    Attributes:
        counts: (K, K) int64.
    """

    counts: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, predicted: np.ndarray, classes: int = 2) -> Confusion:
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

    def iou(self, k: int = _SOUGHT) -> float:
        """Intersection over union (Jaccard index) of a class: TP / (TP + FP + FN)."""
        hit = self.counts[k, k]
        return _ratio(hit, self.counts[k].sum() + self.counts[:, k].sum() - hit)

    def mean_iou(self) -> float:
        """Mean of the IoU of the classes that stand in the truth or in the map."""
        known = [value for k in range(len(self.counts)) if not math.isnan(value := self.iou(k))]
        return float(np.mean(known)) if known else math.nan

    def f1(self, k: int = _SOUGHT) -> float:
        """Harmonic mean of precision and recall (Dice coefficient): 2 TP / (2 TP + FP + FN)."""
        return _ratio(2 * self.counts[k, k], self.counts[k].sum() + self.counts[:, k].sum())

    def precision(self, k: int = _SOUGHT) -> float:
        """Share of what the map shows as class k that is."""
        return _ratio(self.counts[k, k], self.counts[:, k].sum())

    def recall(self, k: int = _SOUGHT) -> float:
        """Share of what is class k that the map shows."""
        return _ratio(self.counts[k, k], self.counts[k].sum())

    def accuracy(self) -> float:
        """Share of all pixels that are right."""
        return _ratio(np.trace(self.counts), self.counts.sum())


def json_numbers(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Numbers fit for JSON, which has no NaN: what is undefined is None."""
    return {name: None if math.isnan(value) else value for name, value in numbers.items()}


def _ratio(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else math.nan
