"""Counts of test tiles by place, and scores and differences made of them, fit for JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.learning.judging.intervals import Estimate
from engine.learning.leaderboard.entries import Entry
from engine.learning.metrics import Confusion
from engine.learning.tasks.task import Task

Metric = Callable[[np.ndarray], float]


def metric_of(task: Task) -> Metric:
    """The watched metric of counts."""
    return lambda summed: task.metrics(summed)[task.watch]


def mean_iou(summed: np.ndarray) -> float:
    """The mean IoU of the classes of a confusion matrix that is one row of counts."""
    classes = math.isqrt(len(summed))
    return Confusion(summed.reshape(classes, classes)).mean_iou()


def by_place(entry: Entry, tiles: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
    """Counts of test tiles added up for each place, (places, N).

    Args:
        tiles: (test tiles, N) in the order of the split.
        chosen: indices of those test tiles that count; None: all.
    """
    split = entry.prepared.split
    counted = np.ones(len(tiles), bool) if chosen is None else np.isin(split.tiles["test"], chosen)
    places = split.places[split.tiles["test"]][counted]
    return np.stack([tiles[counted][places == place].sum(axis=0) for place in np.unique(places)])


def labelled(counts: np.ndarray) -> np.ndarray:
    """Which places have a label, (places,) bool, of counts (..., places, N): the others are no test. All where none has."""
    found = np.any(counts.reshape(-1, *counts.shape[-2:]), axis=(0, 2))
    return found if bool(found.any()) else np.ones(len(found), bool)


def plain(found: Estimate) -> dict[str, Any]:
    """An estimate fit for JSON."""
    return {
        "value": known(found.value),
        "interval": ends(found),
        "is_clear": found.is_clear,
        "places": found.places,
    }


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def spread(values: Sequence[float]) -> float | None:
    """The standard deviation of a sample; None of one value."""
    return known(float(np.std(values, ddof=1))) if len(values) > 1 else None


def known(value: float) -> float | None:
    return None if not math.isfinite(value) else value


def ends(found: Estimate) -> list[float] | None:
    return None if found.interval is None else list(found.interval)


def falling(value: float | None) -> float:
    return math.inf if value is None else -value
