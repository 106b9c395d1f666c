"""The task's baselines on the same test places, for rows of their own beside the decoders."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.learning.baselines.table import BASELINES
from engine.learning.judging.intervals import estimate, paired_difference
from engine.learning.leaderboard.counts import Metric, ends, plain
from engine.learning.preparation import Prepared
from engine.learning.truth import labelled_tiles


def baseline_rows(
    prepared: Prepared, metric: Metric, leading: np.ndarray, seen: np.ndarray
) -> list[dict[str, Any]]:
    """The baselines fitted on the training tiles and counted on the test tiles; those whose pixels are not there are left out.

    Args:
        leading: (seeds, places, N) counts of the row that their differences are taken from.
        seen: which of the split's test places these are, (all places,) bool.
    """
    task, split = prepared.task, prepared.split
    if not prepared.raws:
        return []

    def taught() -> list[Any]:
        return labelled_tiles(prepared.store, prepared.truth, split.tiles["train"])

    tested = labelled_tiles(prepared.store, prepared.truth, split.tiles["test"])
    places = split.places[split.tiles["test"]]
    found = []
    for rule in BASELINES.get(task.name, ()):
        raw = prepared.raws.get(rule.key)
        if raw is None:
            continue
        tiles = rule.counts(raw, tested, rule.fit(raw, taught()), taught)
        counts = np.stack([tiles[places == place].sum(axis=0) for place in np.unique(places)])[seen]
        scores = task.scores(counts.sum(axis=0))
        found.append({
            "backbone": rule.name, "head": "", f"{task.watch}_mean": scores[task.watch], "miou_mean": scores.get("miou"),
            "interval": ends(estimate(counts, metric)), "is_simulated": prepared.store.meta.is_simulated,
            "to_leading": plain(paired_difference(leading, counts, metric)),
        })  # fmt: skip
    return found
