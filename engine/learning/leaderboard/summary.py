"""What a leaderboard says in the end: its rows, curves and matrices, with intervals over the test places."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.jobs.configuration.config import LeaderboardConfig
from engine.learning.judging.intervals import estimate, paired_difference
from engine.learning.leaderboard.baseline_rows import baseline_rows
from engine.learning.leaderboard.beyond_rows import curves_of, matrices_of
from engine.learning.leaderboard.cells import Cell, row_cells
from engine.learning.leaderboard.counts import (
    Metric,
    by_place,
    ends,
    falling,
    known,
    labelled,
    mean,
    mean_iou,
    metric_of,
    plain,
    spread,
)
from engine.learning.leaderboard.entries import Entry, layer_sets
from engine.learning.leaderboard.groups import Group
from engine.learning.leaderboard.report.words import row_name
from engine.learning.leaderboard.results import Result
from engine.learning.leaderboard.shared_ground.answer import answer_of, is_annual
from engine.learning.leaderboard.verdict import comparison, verdict
from engine.learning.tasks.task import Task

SCHEMA_VERSION = 1
Results = Mapping[Cell, Result]


@dataclass(frozen=True)
class Row:
    """A row before it is written.

    Attributes:
        counts: (seeds, places, N) of the test.
    """

    facts: dict[str, Any]
    counts: np.ndarray
    validation: float


def summarised(
    config: LeaderboardConfig,
    entries: Sequence[Entry],
    groups: Sequence[Group],
    results: Results,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Everything that is told, fit for JSON; rows from the best score on the test places down.

    Args:
        notes: what a person should know besides what the results tell.
    """
    task = entries[0].prepared.task
    metric = metric_of(task)
    seen = _labelled_places(config, entries, results)
    rows = [
        _row(config, entries, results, own, seen)
        for store in range(len(config.stores))
        for own in row_cells(config, store, layer_sets(config, entries[store].prepared))
    ]
    chosen = _chosen(rows)
    leading = max(chosen, key=lambda one: one.validation)
    for row in rows:
        row.facts["is_chosen"] = row in chosen
        row.facts["has_other_layers"] = len(layer_sets(config, entries[row.facts["store"]].prepared)) > 1
        row.facts["to_leading"] = None if row is leading else _difference(row, leading, metric)
    pairs = [
        comparison(one.facts, other.facts, _difference(one, other, metric))
        for one, other in _compared(rows, chosen, leading)
    ]
    baselines = baseline_rows(entries[0].prepared, metric, leading.counts, seen)
    ordered = sorted(rows, key=lambda one: falling(one.facts[f"{task.watch}_mean"]))
    told = verdict(_against_next(rows, chosen, leading, metric), baselines, leading.facts, task)
    if config.ground == "shared":
        told = _with_answer(told, chosen, metric, task)
    return {
        "schema_version": SCHEMA_VERSION, "metric": task.watch, "task": task.name, "verdict": told,
        "rows": [row.facts for row in ordered], "pairs": pairs, "baselines": baselines,
        "curves": curves_of(config, entries, results, metric), "travel": matrices_of(config, entries, groups, results, metric),
        **_about(config, entries, ordered, notes),
    }  # fmt: skip


def _with_answer(told: dict[str, Any], chosen: Sequence[Row], metric: Metric, task: Task) -> dict[str, Any]:
    """A verdict that begins with what the annual product is worth; with two rows that says all that the first sentence would."""
    by_store = {row.facts["store"]: row for row in chosen}
    answer = answer_of(
        [row.facts for row in chosen],
        lambda one, other: _difference(by_store[one["store"]], by_store[other["store"]], metric),
        task,
    )
    rest = told["sentences"][1:] if answer and len(chosen) == 2 else told["sentences"]
    return {**told, "sentences": [*filter(None, [answer]), *rest]}


def _labelled_places(config: LeaderboardConfig, entries: Sequence[Entry], results: Results) -> np.ndarray:
    """Which test places have labels in every store, (places,) bool: what is compared is paired by place."""
    found = [
        labelled(by_place(entries[cell.store], result.tests[cell.store]))
        for cell, result in results.items()
        if cell.store < len(config.stores) and cell.group is None and cell.share == 1
    ]
    return np.all(found, axis=0)


def _row(
    config: LeaderboardConfig,
    entries: Sequence[Entry],
    results: Results,
    cells: Sequence[Cell],
    seen: np.ndarray,
) -> Row:
    cell = cells[0]
    entry, head = entries[cell.store], config.heads[cell.head]
    task, found = entry.prepared.task, [results[one] for one in cells]
    feature_dim = sum(entry.store.meta.dims[entry.store.meta.layers.index(layer)] for layer in cell.layers)
    counts = np.stack([by_place(entry, result.tests[cell.store])[seen] for result in found])
    scores = [task.scores(own.sum(axis=0)) for own in counts]
    validation = mean([result.validation[task.watch] for result in found])
    facts: dict[str, Any] = {
        "store": cell.store, **_facts_of(entry), "head": config.head_titles[cell.head], "head_settings": head.model_dump(mode="json"), "seeds": list(config.seeds),
        "layers": list(cell.layers), "position": cell.position, "feature_dim": feature_dim,
        **_means(scores, task.watch, *(("miou",) if "miou" in scores[0] and task.watch != "miou" else ())),
        "interval": ends(estimate(counts, metric_of(task))), "places": counts.shape[1],
        "pixels": int(scores[0].get("labelled_tiles" if task.is_per_tile else "pixels", 0)), "validation_mean": known(validation),
        "seconds": round(mean([result.seconds for result in found]), 3),
        "epochs": [result.epoch for result in found],
        "is_cut_short": head.has_gradient and all(result.epoch == config.training.epochs for result in found),
        "by_seed": [{key: own.get(key) for key in (task.watch, "miou") if key in own} for own in scores],
        "miou_intervals": [ends(estimate(own, mean_iou)) if "miou" in scores[0] else None for own in counts],
    }  # fmt: skip
    return Row(facts, counts, -math.inf if math.isnan(validation) else validation)


def _chosen(rows: Sequence[Row]) -> list[Row]:
    """The row of each backbone that is best on validation."""
    found: dict[str, Row] = {}
    for row in rows:
        name = row.facts["backbone"]
        if name not in found or row.validation > found[name].validation:
            found[name] = row
    return list(found.values())


def _compared(rows: Sequence[Row], chosen: Sequence[Row], leading: Row) -> list[tuple[Row, Row]]:
    """The chosen rows of the backbones, each beside each, then the leading row beside the other rows of its backbone."""
    own = [row for row in rows if row.facts["backbone"] == leading.facts["backbone"] and row is not leading]
    return [*itertools.combinations(chosen, 2), *((leading, row) for row in own)]


def _against_next(
    rows: Sequence[Row], chosen: Sequence[Row], leading: Row, metric: Metric
) -> dict[str, Any] | None:
    """The leading row beside the next backbone's, or beside the next head where there is one backbone."""
    others = [row for row in (chosen if len(chosen) > 1 else rows) if row is not leading]
    if not others:
        return None
    second = max(others, key=lambda one: one.validation)
    return comparison(leading.facts, second.facts, _difference(leading, second, metric))


def _difference(one: Row, other: Row, metric: Metric) -> dict[str, Any]:
    return plain(paired_difference(one.counts, other.counts, metric))


def _about(
    config: LeaderboardConfig, entries: Sequence[Entry], rows: Sequence[Row], told: Sequence[str]
) -> dict[str, Any]:
    """On what it was made, and what a person should know of it."""
    first = entries[0].prepared
    split = first.split
    seeds = len(config.seeds)
    pixels = {row.facts["pixels"] for row in rows}
    notes = [*split.leaks, *told]
    if max(pixels) > 1.01 * min(pixels):
        notes.append(
            f"The test places are the same, and their labelled pixels are not: {min(pixels):,} to {max(pixels):,}, because tiles "
            f"of other sizes end elsewhere. ground: shared judges all stores on the same pixels."
        )
    cut_short = [row_name(row.facts) for row in rows if row.facts["is_cut_short"]]
    if cut_short:
        notes.append(
            f"{', '.join(cut_short)}: every seed kept the last of {config.training.epochs} epochs, so that more epochs may give a better score."
        )
    if rows[0].facts["places"] < 10:
        notes.append(
            f"There are only {rows[0].facts['places']} test places: other places would give other scores."
        )
    if seeds < 3:
        notes.append(
            f"{seeds} seed{'s tell' if seeds > 1 else ' tells'} little of how much chance there is in a training."
        )
    return {
        "source": first.store.meta.source, "is_simulated": any(one.store.meta.is_simulated for one in entries),
        "labels": first.labels.source, "split": config.training.split.model_dump(mode="json"),
        "places": {name: split.places_of(name) for name in split.tiles},
        "tiles": {name: len(own) for name, own in split.tiles.items()},
        "training": config.training.model_dump(mode="json", exclude={"store", "head", "seed", "layers", "position", "device"}),
        "notes": notes,
    }  # fmt: skip


def _means(scores: Sequence[Mapping[str, Any]], *names: str) -> dict[str, Any]:
    """Mean and standard deviation over seeds of some scores."""
    found: dict[str, Any] = {}
    for name in names:
        values = [math.nan if own[name] is None else float(own[name]) for own in scores]
        found |= {f"{name}_mean": known(mean(values)), f"{name}_std": spread(values)}
    return found


def _facts_of(entry: Entry) -> dict[str, Any]:
    """What rows of a store say of it."""
    meta = entry.store.meta
    return {
        "backbone": entry.title, "is_annual": is_annual(meta), "is_random": meta.is_random, "is_simulated": meta.is_simulated,
        "weights_sha256": meta.weights_sha256, "sensor": meta.sensor, "level": meta.level, "gsd_m": meta.gsd_m,
        "patch_px": meta.patch_px, "bands": list(meta.bands), "image_size": max(tile.height_px for tile in entry.store.tiles),
        "bytes": entry.size_bytes, "extract_seconds": entry.extract_seconds,
    }  # fmt: skip
