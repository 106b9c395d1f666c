"""Scores and maps of a trained run on its test places, from what it left: the same whenever they are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.labels.sidecar import open_labels, read_labels, to_pixels
from engine.learning.baseline import TruthOfTile, score_threshold
from engine.learning.dataset import spans_of
from engine.learning.metrics import Confusion, iou_interval, total
from engine.learning.predict import classes_of, errors_of, predict_tiles
from engine.learning.result import CLASS_COLOURS, ERROR_COLOURS, DecoderCard, TrainRun
from engine.store.store import EmbeddingStore
from engine.views.overlay import class_overlay


def evaluate(run_folder: Path) -> dict[str, Any]:
    """The test scores, computed again from the saved decoder, the store and the labels.

    Raises:
        JobError: the run is no finished training.
        StoreError, LabelError: what it learned from is gone or has changed.
    """
    run = TrainRun.open(run_folder)
    card = run.decoder
    store = EmbeddingStore.open(run.store_folder)
    raw = EmbeddingStore.open((run.folder / card.raw_store).resolve()) if card.raw_store else None
    truth = read_labels(open_labels((run.folder / card.labels).resolve()), store)
    return score_run(run, store, truth, raw)


def score_run(
    run: TrainRun, store: EmbeddingStore, truth: np.ndarray, raw: EmbeddingStore | None
) -> dict[str, Any]:
    """Scores of the decoder and of the baseline on the same test pixels.

    Args:
        truth: (rows, p * p) int8 in the order of the store.
        raw: reflectances on the same tiles; None: no baseline.

    Returns:
        `Confusion.scores`, and: places (tiles of the test), iou_burned_interval (95 %, bootstrap by place),
        epoch, baseline (the same scores with name and threshold, or None), baseline_iou_burned.
    """
    card = run.decoder
    test = truth_of(store, truth, indices_of(store, card.split["test"]))
    burned = dict(_test_probabilities(run, store, card))
    counts = [
        Confusion.of(place.pixels, classes_of(burned[place.tile.id]))
        for place in test
        if place.tile.id in burned
    ]
    interval = iou_interval(counts, np.random.default_rng(card.seed))
    baseline = None
    if raw is not None and card.baseline_threshold is not None:
        baseline = score_threshold(raw, test, card.baseline_threshold)
    return {
        **total(counts).scores(),
        "places": len(test),
        "iou_burned_interval": None if interval is None else list(interval),
        "epoch": card.epoch,
        "baseline": baseline,
        "baseline_iou_burned": None if baseline is None else baseline["iou_burned"],
    }


def write_maps(run: TrainRun, store: EmbeddingStore, truth: np.ndarray) -> None:
    """Write the predicted classes and the errors of the test places into the run folder."""
    places = {
        place.tile.id: place for place in truth_of(store, truth, indices_of(store, run.decoder.split["test"]))
    }
    burned = dict(_test_probabilities(run, store, run.decoder))
    predicted = ((place.tile, classes_of(burned[name])) for name, place in places.items())
    class_overlay(run.predictions, predicted, colours=CLASS_COLOURS, band_name="burnt")
    wrong = ((place.tile, errors_of(burned[name], place.pixels)) for name, place in places.items())
    class_overlay(run.errors, wrong, colours=ERROR_COLOURS, band_name="error")


def truth_of(
    store: EmbeddingStore, truth: np.ndarray, indices: Sequence[int] | np.ndarray
) -> list[TruthOfTile]:
    """Labels of some tiles as pixels, in the order asked.

    Args:
        truth: (rows, p * p) int8 in the order of the store.
    """
    spans = spans_of(store)
    return [
        TruthOfTile(spans[index].tile, to_pixels(truth[spans[index].rows], spans[index].tile))
        for index in indices
    ]


def indices_of(store: EmbeddingStore, tile_ids: Sequence[str]) -> list[int]:
    """Places in `store.tiles` of some tile ids.

    Raises:
        StoreError: the store lacks one.
    """
    index_of = {tile.id: index for index, tile in enumerate(store.tiles)}
    absent = [name for name in tile_ids if name not in index_of]
    if absent:
        raise StoreError(
            f"the {len(tile_ids)} test tiles of the training were wanted, found {len(absent)} of them gone from {store.folder} "
            f"({absent[0]}, ...). Use the store that it was trained on."
        )
    return [index_of[name] for name in tile_ids]


def _test_probabilities(
    run: TrainRun, store: EmbeddingStore, card: DecoderCard
) -> Iterator[tuple[str, np.ndarray]]:
    return ((tile.id, burned) for tile, burned in predict_tiles(run, store, frozenset(card.split["test"])))
