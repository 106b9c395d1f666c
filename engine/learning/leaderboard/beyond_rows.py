"""Few-label curves and the matrices of what travels, from the counts of decoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.jobs.configuration.config import LeaderboardConfig
from engine.learning.judging.intervals import estimate
from engine.learning.leaderboard.cells import ALL_GROUPS, Cell
from engine.learning.leaderboard.counts import Metric, by_place, ends, known, labelled, spread
from engine.learning.leaderboard.entries import Entry, layer_sets
from engine.learning.leaderboard.few_labels import number_of, training_places
from engine.learning.leaderboard.groups import Group, within_reach
from engine.learning.leaderboard.results import Result

Results = Mapping[Cell, Result]


def curves_of(
    config: LeaderboardConfig,
    entries: Sequence[Entry],
    results: Results,
    metric: Metric,
) -> list[dict[str, Any]]:
    """One curve a backbone and head: shares of the training places, and the scores that they give."""
    if not config.label_shares:
        return []
    every = len(training_places(entries[0].prepared))
    shares = sorted({*config.label_shares, 1.0})
    found = []
    for store in range(len(config.stores)):
        layers = layer_sets(config, entries[store].prepared)[0]
        for head, title in enumerate(config.head_titles):
            points = []
            for share in shares:
                cells = [Cell(store, layers, config.positions[0], head, seed, share) for seed in config.seeds]
                counts = np.stack([by_place(entries[store], results[cell].tests[store]) for cell in cells])
                score = estimate(counts[:, labelled(counts)], metric)
                each = [metric(own.sum(axis=0)) for own in counts]
                points.append({"share": share, "places": number_of(share, every), "mean": known(score.value),
                               "std": spread(each), "interval": ends(score)})  # fmt: skip
            found.append({"backbone": entries[store].title, "head": title, "points": points})
    return found


def matrices_of(
    config: LeaderboardConfig, entries: Sequence[Entry], groups: Sequence[Group], results: Results,
    metric: Metric,
) -> list[dict[str, Any]]:  # fmt: skip
    """One matrix for what is asked, backbone and head: a line for what was trained on, a column for what was tested on."""
    found = []
    for by in config.travels:
        seen = set[tuple[int, ...]]()
        for store in range(len(entries)):
            reached = within_reach(entries, groups, store, by)
            family = tuple(one.number for one in reached)
            if len(reached) < 2 or family in seen:
                continue
            seen.add(family)
            for head, title in enumerate(config.head_titles):
                found.append({"by": by, "backbone": entries[store].store.meta.backbone, "head": title,
                              "tested_on": [_title(entries, reached, one) for one in reached],
                              "lines": _lines(config, entries, reached, store, head, results, metric)})  # fmt: skip
    return found


def _lines(
    config: LeaderboardConfig, entries: Sequence[Entry], reached: Sequence[Group], store: int, head: int, results: Results,
    metric: Metric,
) -> list[dict[str, Any]]:  # fmt: skip
    """A line for each group, and one for all ground of a store where no group is that."""
    taught = [(_title(entries, reached, one), one.store, one.taught_as) for one in reached]
    if store < len(config.stores) and (store, None) not in [(own, number) for _, own, number in taught]:
        taught.append((ALL_GROUPS, store, None))
    lines = []
    for title, own, number in taught:
        layers = layer_sets(config, entries[own].prepared)[0]
        cells = [Cell(own, layers, config.positions[0], head, seed, group=number) for seed in config.seeds]
        scores = [_tested(entries, results, cells, group, metric) for group in reached]
        lines.append({"trained_on": title, "scores": scores})
    return lines


def _tested(
    entries: Sequence[Entry],
    results: Results,
    cells: Sequence[Cell],
    group: Group,
    metric: Metric,
) -> dict[str, Any]:
    entry = entries[group.store]
    counts = np.stack(
        [by_place(entry, results[cell].tests[group.store], group.tiles["test"]) for cell in cells]
    )
    score = estimate(counts[:, labelled(counts)], metric)
    return {"mean": known(score.value), "interval": ends(score), "places": score.places}


def _title(entries: Sequence[Entry], reached: Sequence[Group], group: Group) -> str:
    """What a group is called; with what tells its store from others where several stores have one of its name."""
    same = [one for one in reached if one.title == group.title]
    if len(same) == 1:
        return group.title
    entry = entries[group.store]
    return f"{group.title}, {entry.title.removeprefix(entry.store.meta.backbone).removeprefix(' · ')}"
