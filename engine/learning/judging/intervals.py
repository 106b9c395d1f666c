"""Intervals of scores and of their differences, by drawing whole places anew (bootstrap).

Pixels of one place are not independent, and neither are tiles of one block, so places are the unit: they are drawn with
replacement, their counts are added, and the score is computed from the sum (Efron & Tibshirani 1993, "An Introduction to
the Bootstrap", chapter 13, for the percentile interval). Two methods that were tested on the same places are compared on the
same draws, so that what makes a place hard for both does not blur their difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEAST_PLACES = 3
SHARE, DRAWS = 0.95, 1000
Metric = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Estimate:
    """A score, or a difference of two, with its interval.

    Attributes:
        value: from the counts of all places; NaN where it is undefined.
        low, high: ends of the 95 % interval; None with fewer than three places, or where no draw defines the score.
        places: that it was computed from.
    """

    value: float
    low: float | None
    high: float | None
    places: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def is_clear(self) -> bool:
        """Whether the interval of a difference leaves out zero."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


def estimate(counts: np.ndarray, metric: Metric, seed: int = 0) -> Estimate:
    """A score with its interval.

    Args:
        counts: (places, N), from whose sum the metric is computed; or (runs, places, N) of several runs, such as seeds, on the
            same places, whose scores are averaged.
        seed: of the draws.
    """
    runs = _runs(counts)
    values = _of_draws(runs, metric, _draws(runs.shape[1], np.random.default_rng(seed)))
    low, high = _ends(values) or (None, None)
    return Estimate(_mean_score(runs.sum(axis=1), metric), low, high, runs.shape[1])


def paired_difference(ours: np.ndarray, theirs: np.ndarray, metric: Metric, seed: int = 0) -> Estimate:
    """The score of one method minus that of another on the same places, both computed on the same draws.

    Args:
        ours, theirs: as `estimate` takes them, place by place the same; the numbers of runs may differ.

    Raises:
        ValueError: they are not of the same number of places.
    """
    own, other = _runs(ours), _runs(theirs)
    if own.shape[1] != other.shape[1]:
        raise ValueError(f"{own.shape[1]} and {other.shape[1]} places cannot be paired")
    draws = _draws(own.shape[1], np.random.default_rng(seed))
    low, high = _ends(_of_draws(own, metric, draws) - _of_draws(other, metric, draws)) or (None, None)
    value = _mean_score(own.sum(axis=1), metric) - _mean_score(other.sum(axis=1), metric)
    return Estimate(value, low, high, own.shape[1])


def interval_over_places(
    counts: Sequence[np.ndarray], metric: Metric, generator: np.random.Generator
) -> tuple[float, float] | None:
    """The 95 % interval of a metric from the counts of each place, (N,) each.

    Returns:
        Lower and upper bound; None with fewer than three places, or where the metric is undefined in every draw.
    """
    if not len(counts):
        return None
    return _ends(_of_draws(_runs(np.stack(counts)), metric, _draws(len(counts), generator)))


def _runs(counts: np.ndarray) -> np.ndarray:
    return counts[None] if counts.ndim == 2 else counts


def _draws(places: int, generator: np.random.Generator) -> np.ndarray:
    """(draws, places) how often each place was drawn; none where there are too few places."""
    if places < LEAST_PLACES:
        return np.zeros((0, places), np.int64)
    return generator.multinomial(places, np.full(places, 1 / places), size=DRAWS)


def _of_draws(runs: np.ndarray, metric: Metric, draws: np.ndarray) -> np.ndarray:
    """(draws,) the mean score of the runs on each draw of places."""
    summed = np.einsum("dp,rpn->drn", draws, runs)
    return np.array([_mean_score(one, metric) for one in summed])


def _mean_score(summed: np.ndarray, metric: Metric) -> float:
    """The mean over runs of the metric of (runs, N) counts; NaN where one is undefined."""
    return math.fsum(metric(one) for one in summed) / len(summed)


def _ends(values: np.ndarray) -> tuple[float, float] | None:
    known = values[~np.isnan(values)] if len(values) else values
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)
