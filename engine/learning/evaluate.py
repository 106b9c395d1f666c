"""Scores and maps of a trained run on its test tiles, from what it left: the same whenever they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import JobError
from engine.labels.build import PixelsWithData
from engine.labels.sidecar import open_labels, read_labels
from engine.learning.baselines.table import BASELINES
from engine.learning.judging.intervals import estimate
from engine.learning.judging.place_counts import PlaceCounts
from engine.learning.predict import predict_tiles, without_gaps, write_map
from engine.learning.result import TrainRun
from engine.learning.splits.split import touching_share
from engine.learning.truth import indices_of, labelled_tiles
from engine.store.store import EmbeddingStore


def evaluate(run_folder: Path) -> dict[str, Any]:
    """The test scores, computed again from the saved decoder, the store and the labels.

    Raises:
        JobError: the run is no finished training.
        StoreError, LabelError: what it learned from is gone or has changed.
    """
    run = TrainRun.open(run_folder)
    card = run.decoder
    if card.labels.endswith(".geojson"):
        raise JobError(
            f"{run.folder} was taught by clicked labels and scored by leaving out their places: it has no test split to score "
            f"again. Train on its label raster to have one."
        )
    store = EmbeddingStore.open(run.store_folder)
    raw = EmbeddingStore.open((run.folder / card.raw_store).resolve()) if card.raw_store else None
    labels = read_labels(open_labels((run.folder / card.labels).resolve()), store)
    return score_run(run, store, labels, raw)


def score_run(
    run: TrainRun, store: EmbeddingStore, labels: np.ndarray, raw: EmbeddingStore | None
) -> dict[str, Any]:
    """Scores of the decoder and of the baseline on the same test pixels.

    Args:
        labels: (rows, L) in the order of the store.
        raw: reflectances on the same tiles; None: no baseline.

    Returns:
        The task's scores, and: tiles and places of the test, touching (share of the test tiles that touch a training
        tile), `<watched metric>_interval` (95 %, bootstrap by place), epoch, baseline (the same scores with its name and
        what it was fitted to, or None), `baseline_<watched metric>`.
    """
    card, task = run.decoder, run.task
    chosen = indices_of(store, card.split["test"])
    tiles = labelled_tiles(store, labels, chosen, task.is_per_tile)
    predicted = _test_classes(run, store)
    counts = np.stack([task.counts_of_pixels(one.pixels, predicted[one.tile.id]) for one in tiles])
    by_place = PlaceCounts.of_tiles(store.tiles, chosen, counts)
    watched = estimate(by_place.counts, lambda summed: task.metrics(summed)[task.watch], card.seed)
    baseline = None
    if raw is not None and card.baseline:
        baseline = BASELINES[task.name].score(raw, tiles, card.baseline)
    touching = touching_share(store.tiles, chosen, indices_of(store, card.split["train"]))
    return {
        **task.scores(counts.sum(axis=0)),
        "tiles": len(tiles),
        "places": watched.places,
        "touching": round(touching, 4),
        f"{task.watch}_interval": None if watched.interval is None else list(watched.interval),
        "epoch": card.epoch,
        "baseline": baseline,
        f"baseline_{task.watch}": None if baseline is None else baseline[task.watch],
    }


def write_maps(
    run: TrainRun, store: EmbeddingStore, labels: np.ndarray, has_data: PixelsWithData | None
) -> None:
    """Write the predicted classes and the errors of the test tiles into the run folder; gaps have neither."""
    task = run.task
    tiles = labelled_tiles(store, labels, indices_of(store, run.decoder.split["test"]), task.is_per_tile)
    predicted = _test_classes(run, store)
    classes = {one.tile.id: without_gaps(predicted[one.tile.id], one.tile, task, has_data) for one in tiles}
    maps = ((one.tile, task.map_values(classes[one.tile.id])) for one in tiles)
    write_map(run.predictions, maps, task, task.prediction_style)
    wrong = ((one.tile, task.errors(classes[one.tile.id], one.pixels)) for one in tiles)
    write_map(run.errors, wrong, task, task.error_style)


def _test_classes(run: TrainRun, store: EmbeddingStore) -> dict[str, np.ndarray]:
    """The classes that the decoder gives the pixels of the test tiles, by tile id."""
    wanted = frozenset(run.decoder.split["test"])
    return {tile.id: predicted for tile, predicted in predict_tiles(run, store, wanted)}
