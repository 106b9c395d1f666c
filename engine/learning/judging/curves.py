"""Precision and recall at every threshold, the threshold that validation chooses, and how far probabilities can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.learning.judging.tally import Tally
from engine.views.maps.probability_map import STEPS

BINS = 10


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall where p > threshold counts as the class.

    Attributes:
        threshold, precision, recall: (STEPS,) from the threshold 0 upwards; precision is NaN where nothing is called so.
        average_precision: sum of precision times the recall that each threshold adds, as scikit-learn's
            `average_precision_score` has it; NaN without a label of the class.
    """

    threshold: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    average_precision: float


@dataclass(frozen=True)
class Reliability:
    """Ten bins of equal width: how often the class is there, against the mean probability that was given.

    Attributes:
        low, high: (bins,) edges; a bin holds low < p <= high, the first one 0 too. Bins without a label are left out.
        probability, share: (bins,) mean probability, and share of labels that are of the class.
        labels: (bins,) how many.
    """

    low: np.ndarray
    high: np.ndarray
    probability: np.ndarray
    share: np.ndarray
    labels: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of share and probability, weighted by the labels of each bin.

        Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3, for the probability of one class.
        """
        if not len(self.labels):
            return float("nan")
        return float(np.average(np.abs(self.share - self.probability), weights=self.labels))


def precision_recall(tally: Tally) -> PrecisionRecall:
    """The curve of a tally."""
    above = tally.counts[:, ::-1].cumsum(axis=1)[:, ::-1]  # (2, STEPS + 1) at or above a bin
    called, hits, sought = above.sum(axis=0), above[1], tally.counts[1].sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = hits / called, hits / sought
    # the threshold below bin 0 calls everything the class; scikit-learn's curve begins there
    falls = np.diff(recall, append=0)
    average = float(-(falls * np.nan_to_num(precision)).sum()) if sought else float("nan")
    return PrecisionRecall(np.arange(STEPS) / STEPS, precision[1:], recall[1:], average)


def reliability(tally: Tally) -> Reliability:
    """The reliability plot of a tally."""
    width = STEPS // BINS
    bin_of = np.maximum((np.arange(STEPS + 1) - 1) // width, 0)
    labels = np.bincount(bin_of, tally.counts.sum(axis=0), BINS)
    held = np.flatnonzero(labels)
    probability = np.bincount(bin_of, tally.sums, BINS)[held] / labels[held]
    share = np.bincount(bin_of, tally.counts[1], BINS)[held] / labels[held]
    return Reliability(held / BINS, (held + 1) / BINS, probability, share, labels[held].astype(np.int64))


def best_step(tally: Tally) -> int:
    """The step of the threshold with the best IoU of the class; of equal ones the nearest to one half.

    To be asked of validation labels only.
    """
    above = tally.counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]  # (2, STEPS) above step 0, 1, ...
    iou = above[1] / np.maximum(tally.counts[1].sum() + above[0], 1)
    best = np.flatnonzero(iou == iou.max())
    return int(best[np.abs(best - STEPS // 2).argmin()])
