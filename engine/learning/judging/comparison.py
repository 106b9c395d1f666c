"""Methods beside one another on the same test places: scores with intervals, and by how much the decoder is better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.learning.judging.intervals import Estimate, Metric, estimate, paired_difference
from engine.learning.judging.judgement import AT_THRESHOLD, DECODER, Method
from engine.learning.judging.place_counts import on_same_places
from engine.learning.tasks.segmentation import Segmentation
from engine.learning.tasks.task import Task


def measures(task: Task) -> tuple[str, ...]:
    """Names of the scores that get an interval: the watched one first."""
    if not task.classes:
        return task.watch, "rmse", "mae"
    if (
        task.is_per_tile and task.link == "logit" and task.values > 1
    ):  # several classes a tile: no one accuracy
        return (task.watch,)
    return tuple(dict.fromkeys((task.watch, "accuracy" if task.is_per_tile else "miou")))


def measure(task: Task, name: str) -> Metric:
    """A function from summed counts to a score; NaN where it is undefined.

    IoU is computed from plain numbers: an interval asks for it a thousand times.
    """
    classes = len(task.classes)
    keys = [f"iou_{one.key}" for one in task.classes]
    if isinstance(task, Segmentation) and name in (*keys, "miou"):
        asked = range(classes) if name == "miou" else (keys.index(name),)
        return lambda counts: _mean_iou(counts.tolist(), classes, asked)

    def score(counts: np.ndarray) -> float:
        found = task.metrics(counts)
        value = found[name] if name in found else task.scores(counts).get(name)
        return math.nan if value is None else float(value)

    return score


def compared(methods: Sequence[Method], task: Task, seed: int) -> list[dict[str, Any]]:
    """One row a method, fit for JSON: its scores with intervals, and the decoder's gain on the places that both have.

    Args:
        methods: the decoder first.
        seed: of the draws.
    """
    rows = []
    for one in methods:
        row: dict[str, Any] = {
            "key": one.key,
            "name": one.name,
            "note": one.note,
            "places": len(one.counts.names),
        }
        for name in measures(task):
            row |= numbers_of(name, estimate(one.counts.counts, measure(task, name), seed))
        if one.key not in (DECODER, AT_THRESHOLD):
            row |= numbers_of("gain", gain_over(methods[0], one, task, seed))
        rows.append(row)
    return rows


def gain_over(decoder: Method, other: Method, task: Task, seed: int) -> Estimate:
    """The watched score of the decoder minus that of another method, paired on the places that both were tested on."""
    _, (ours, theirs) = on_same_places([decoder.counts, other.counts])
    return paired_difference(ours, theirs, measure(task, task.watch), seed)


def verdicts(rows: Sequence[Mapping[str, Any]], watched: str) -> list[tuple[bool, str]]:
    """For each method that the decoder is compared with: whether it is beaten clearly, and that in words.

    Args:
        watched: the score that is compared, in words.
    """
    found = []
    for row in rows:
        gain, interval = row.get("gain"), row.get("gain_interval")
        if gain is None:
            continue
        if interval is None:
            said = f"Against the {row['name']}: {signed(gain)} in {watched}; too few places for an interval."
            found.append((False, said))
            continue
        is_beaten, is_worse = interval[0] > 0, interval[1] < 0
        words = "beats" if is_beaten else "is worse than" if is_worse else "does not clearly beat"
        ends = f"{signed(interval[0])} to {signed(interval[1])}"
        found.append((
            is_beaten,
            f"The decoder {words} the {row['name']}: {signed(gain)} in {watched} (95 % interval {ends}, {row['places']} places).",
        ))  # fmt: skip
    return found


def numbers_of(name: str, found: Estimate) -> dict[str, Any]:
    """A score and its interval, by names, fit for JSON."""
    value = None if math.isnan(found.value) else found.value
    return {name: value, f"{name}_interval": None if found.interval is None else list(found.interval)}


def _mean_iou(counts: list[float], classes: int, asked: Iterable[int]) -> float:
    """Mean of the defined IoU of some classes, from counts by true and predicted class, row-major."""
    found = []
    for k in asked:
        hit = counts[k * classes + k]
        union = sum(counts[k * classes : (k + 1) * classes]) + sum(counts[k::classes]) - hit
        if union:
            found.append(hit / union)
    return math.fsum(found) / len(found) if found else math.nan


def titled(name: str) -> str:
    """The name of a method as it begins a line; dNBR keeps its small letter."""
    return name if name[1:2].isupper() else f"{name[0].upper()}{name[1:]}"


def signed(value: float) -> str:
    """A difference with its sign, to three digits: "+0.012", "−0.200", "0.000"."""
    rounded = round(value, 3)
    return f"{rounded:+.3f}".replace("-", "−") if rounded else "0.000"
