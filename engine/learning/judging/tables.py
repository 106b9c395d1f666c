"""Everything that is told of a test as tables: what pages and reports draw, and what is taken home as CSV.

The first row of a table names its columns, each with its unit.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.files import write_atomic
from engine.learning.judging.comparison import measures
from engine.learning.judging.curves import precision_recall, reliability
from engine.learning.judging.judgement import Judgement
from engine.learning.judging.tally import classes_with_probability
from engine.learning.tasks.task import Task

Table = list[list[Any]]
_KINDS = {"distance": ("inside", "outside"), "size": ("size",), "severity": ("severity",)}


def tables(judgement: Judgement, task: Task, methods: Sequence[Mapping[str, Any]]) -> dict[str, Table]:
    """Every table that a test has, by its name: those without a row are left out.

    Args:
        methods: rows of `comparison.compared`.
    """
    found = {
        "methods": of_methods(task, methods),
        "places": of_places(judgement, task),
        "precision-recall": of_precision_recall(judgement, task),
        "reliability": of_reliability(judgement, task),
        **{name: _of_strata(judgement, name) for name in _KINDS},
        "classes": of_classes(judgement, task),
        "scatter": _of_scatter(judgement),
        "residuals": _of_residuals(judgement),
    }
    return {name: table for name, table in found.items() if len(table) > 1}


def of_methods(task: Task, methods: Sequence[Mapping[str, Any]]) -> Table:
    """The decoder and what it is compared with: scores and intervals, and the decoder's gain over each."""
    names = measures(task)
    head = ["method", "places"]
    for name in (*names, "gain"):
        head += [
            name if name != "gain" else f"gain of the decoder in {task.watch}",
            f"{name}, 95 % from",
            f"{name}, 95 % to",
        ]
    rows = [head]
    for one in methods:
        row = [one["name"], one["places"]]
        for name in (*names, "gain"):
            row += [one.get(name), *(one.get(f"{name}_interval") or (None, None))]
        rows.append(row)
    return rows


def of_places(judgement: Judgement, task: Task) -> Table:
    """The test places by the decoder's watched score, the worst first; those where it is undefined last."""
    names = score_names(task)
    has_area = any(place.sought_ha is not None for place in judgement.places)
    area = [f"labelled {task.classes[1].title}, ha"] if has_area else []
    unit = "labelled tiles" if task.is_per_tile else "labelled pixels"
    rows = []
    for place, counts in zip(judgement.places, judgement.methods[0].counts.counts, strict=True):
        scores = task.scores(counts)
        size = scores.get("labelled_tiles", scores.get("pixels"))
        rows.append(
            [
                place.name,
                *(scores.get(name) for name in names),
                *([place.sought_ha] if has_area else []),
                size,
                len(place.tile_ids),
            ]
        )
    rows.sort(key=lambda row: math.inf if row[1] is None else row[1])
    return [["place", *names, *area, unit, "tiles"], *rows]


def score_names(task: Task) -> tuple[str, ...]:
    """Scores that stand in the table by place."""
    if not task.classes:
        return task.watch, "rmse", "mae", "bias"
    if task.is_per_tile:
        return (task.watch,) if task.watch == "mean_f1" and task.link == "logit" else (task.watch, "accuracy")
    if len(task.classes) == 2:
        key = task.classes[1].key
        return task.watch, "miou", f"precision_{key}", f"recall_{key}"
    return task.watch, "accuracy"


def of_classes(judgement: Judgement, task: Task) -> Table:
    """IoU, F1, precision and recall of each class of the decoder, and how many labels are of it."""
    counts = judgement.methods[0].counts.counts.sum(axis=0)
    scores, measured = task.scores(counts), ("iou", "f1", "precision", "recall")
    rows: Table = [["class", *measured, "labelled tiles" if task.is_per_tile else "labelled pixels"]]
    for index, one in enumerate(task.classes):
        several = scores.get("confusion_of_classes")
        confusion = several[one.key][1] if several else scores["confusion"][index]
        rows.append([one.title, *(scores.get(f"{name}_{one.key}") for name in measured), int(sum(confusion))])
    return rows


def of_precision_recall(judgement: Judgement, task: Task) -> Table:
    """Precision and recall above every threshold, of each class that has a probability."""
    rows: Table = [["class", "threshold", "precision", "recall", "chosen on validation"]]
    for title, tally in _of_classes(judgement, task):
        found = precision_recall(tally)
        for threshold, precision, recall in zip(found.threshold, found.precision, found.recall, strict=True):
            chosen = judgement.threshold is not None and abs(threshold - judgement.threshold) < 1e-9
            rows.append(
                [title, float(threshold), _number(precision), _number(recall), "yes" if chosen else "no"]
            )
    return rows


def of_reliability(judgement: Judgement, task: Task) -> Table:
    """Share of labels that are of a class against the mean probability, in ten bins."""
    rows: Table = [["class", "from", "to", "mean probability", "share that is of the class", "labels"]]
    for title, tally in _of_classes(judgement, task):
        found = reliability(tally)
        rows += [
            [title, *map(float, values), int(labels)]
            for *values, labels in zip(
                found.low, found.high, found.probability, found.share, found.labels, strict=True
            )
        ]
    return rows


def write_table(table: Table, out: Path) -> Path:
    """Write a table as CSV.

    Raises:
        DiskFull: no room.
    """

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(["" if cell is None else cell for cell in row] for row in table)

    write_atomic(out, write)
    return out


def _of_classes(judgement: Judgement, task: Task) -> list[tuple[str, Any]]:
    tallies = judgement.tallies.get("test", ())
    return [
        (task.classes[k].title, tally)
        for k, tally in zip(classes_with_probability(task), tallies, strict=False)
    ]


def _of_strata(judgement: Judgement, name: str) -> Table:
    unit = {"distance": "m", "size": "ha"}.get(name)
    side = ["side"] if name == "distance" else []
    ends = [] if unit is None else [f"from, {unit}", f"to, {unit}"]
    scars = ["scars"] if name == "size" else []
    rows: Table = [[*side, name, *ends, "labelled pixels", "wrong, share", *scars]]
    for one in (one for one in judgement.strata if one.kind in _KINDS[name]):
        own = [] if unit is None else [one.low, one.high]
        rows.append(
            [
                *([one.kind] if side else []),
                one.title,
                *own,
                one.pixels,
                one.wrong,
                *([one.scars] if scars else []),
            ]
        )
    return rows


def _of_scatter(judgement: Judgement) -> Table:
    rows: Table = [["true, middle of the bin", "predicted, middle of the bin", "pixels"]]
    if judgement.scatter is not None:
        middles = _middles(judgement.scatter.edges)
        for at, up in np.argwhere(judgement.scatter.counts):
            rows.append([middles[at], middles[up], int(judgement.scatter.counts[at, up])])
    return rows


def _of_residuals(judgement: Judgement) -> Table:
    rows: Table = [["predicted minus true, middle of the bin", "pixels"]]
    if judgement.scatter is not None:
        middles = _middles(judgement.scatter.error_edges)
        rows += [[at, int(count)] for at, count in zip(middles, judgement.scatter.error_counts, strict=True)]
    return rows


def _middles(edges: np.ndarray) -> list[float]:
    found: list[float] = ((edges[1:] + edges[:-1]) / 2).tolist()
    return found


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
