"""Scores and maps of a trained run on its test tiles, from what it left: the same whenever they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import JobError
from engine.labels.build import PixelsWithData
from engine.labels.sidecar import open_labels, read_labels
from engine.learning.judging.comparison import compared, measures
from engine.learning.judging.curves import precision_recall, reliability
from engine.learning.judging.judge import Judged, judge
from engine.learning.judging.judgement import JUDGEMENT, Judgement
from engine.learning.keeping.result import TrainRun, write_json
from engine.learning.maps.facts import own_ground_tags
from engine.learning.maps.predict import without_gaps, write_map
from engine.learning.metrics import json_numbers
from engine.learning.splits.split import touching_share
from engine.learning.truth import indices_of
from engine.store.store import EmbeddingStore
from engine.workspace import workspace_of


def evaluate(run_folder: Path) -> dict[str, Any]:
    """The test scores, computed again from the saved decoder, the store and the labels; the judgement is written beside them.

    Raises:
        JobError: the run is no finished training.
        StoreError, LabelError: what it learned from is gone or has changed.
        DiskFull: no room.
    """
    run = TrainRun.open(run_folder)
    card = run.decoder
    if card.labels.endswith(".geojson"):
        raise JobError(
            f"{run.folder} was taught by clicked labels and scored by leaving out their places: it has no test split to score "
            f"again. Train on its label raster to have one."
        )
    store = EmbeddingStore.open(run.store_folder)
    raws = {
        key: EmbeddingStore.open((run.folder / fitted["raw_store"]).resolve())
        for key, fitted in card.fitted_baselines.items()
    }
    labels = read_labels(open_labels((run.folder / card.labels).resolve()), store)
    judgement = judge(run, store, labels, raws, workspace_of(run.folder)).judgement
    write_json(run.folder / JUDGEMENT, judgement.to_json())
    return scores_of(run, store, judgement)


def scores_of(run: TrainRun, store: EmbeddingStore, judgement: Judgement) -> dict[str, Any]:
    """What is told of a test in few numbers.

    Returns:
        The task's scores, and: tiles and places of the test, touching (share of the test tiles that touch a training
        tile), `<score>_interval` (95 %, bootstrap by place) of the scores that people compare, epoch, baseline (the first
        baseline's scores with its name and what it was fitted to, or None), `baseline_<watched metric>`, methods (the decoder
        and every baseline: scores, intervals, and the decoder's gain with its paired interval), threshold,
        average_precision and calibration_error (means over the classes that have a probability; None for numbers).
    """
    card, task = run.decoder, run.task
    counts = judgement.methods[0].counts
    rows = compared(judgement.methods, task, card.seed)
    baseline = None
    first = next((one for one in judgement.methods if one.key == "nbr"), None)
    if first is not None:
        threshold = round(card.baseline["threshold"], 6)
        baseline = {
            "name": first.name,
            "threshold": threshold,
            **task.scores(first.counts.counts.sum(axis=0)),
        }
    test = indices_of(store, card.split["test"])
    return {
        **task.scores(counts.counts.sum(axis=0)),
        "tiles": len(test),
        "places": len(counts.names),
        "touching": round(touching_share(store.tiles, test, indices_of(store, card.split["train"])), 4),
        **{f"{name}_interval": rows[0][f"{name}_interval"] for name in measures(task)},
        "epoch": card.epoch,
        "baseline": baseline,
        f"baseline_{task.watch}": None if baseline is None else baseline[task.watch],
        "methods": rows,
        "threshold": judgement.threshold,
        **_of_probabilities(judgement),
    }


def write_maps(run: TrainRun, judged: Judged, has_data: PixelsWithData | None) -> None:
    """Write the predicted classes and the errors of the test tiles into the run folder; gaps have neither."""
    task = run.task
    classes = {
        one.tile.id: without_gaps(judged.predicted[one.tile.id], one.tile, task, has_data)
        for one in judged.tiles
    }
    maps = ((one.tile, task.map_values(classes[one.tile.id])) for one in judged.tiles)
    tags = own_ground_tags(run.decoder)
    write_map(run.predictions, maps, task, task.prediction_style, tags)
    wrong = ((one.tile, task.errors(classes[one.tile.id], one.pixels)) for one in judged.tiles)
    write_map(run.errors, wrong, task, task.error_style, tags)


def _of_probabilities(judgement: Judgement) -> dict[str, float | None]:
    """Average precision and expected calibration error on the test, means over the classes that have a probability."""
    tallies = judgement.tallies.get("test", ())
    if not tallies:
        return {"average_precision": None, "calibration_error": None}
    count = len(tallies)
    return json_numbers({
        "average_precision": sum(precision_recall(one).average_precision for one in tallies) / count,
        "calibration_error": sum(reliability(one).error for one in tallies) / count,
    })  # fmt: skip
