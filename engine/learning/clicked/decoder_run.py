"""A taught classifier kept as a decoder: the run folder of a training, which applies, exports and shows like any other.

Its scores are of patches whose place was left out, because no label is set aside as a test.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil

from engine.errors import StoreError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import (
    ClassConfig,
    HeadConfig,
    LabelsConfig,
    SegmentationConfig,
    TileClassificationConfig,
    TrainConfig,
    config_hash,
)
from engine.jobs.event_log import append_event
from engine.jobs.events import Finished, Started, Submitted, TestDone
from engine.labels.clicked.geojson import write_labels
from engine.labels.clicked.label_set import LabelSet
from engine.learning.clicked.classifier import Classifier
from engine.learning.clicked.decoder_weights import decoder_state, folded_places, require_foldable
from engine.learning.clicked.label_raster import as_pixels, write_label_raster
from engine.learning.clicked.taught import Taught
from engine.learning.keeping.card import SCHEMA_VERSION, DecoderCard, encoder_facts
from engine.learning.keeping.model_card import write_decoder
from engine.learning.keeping.result import POSITIONS, SCORES, WEIGHTS, TrainRun, write_card, write_json
from engine.learning.maps.facts import own_ground_tags
from engine.learning.maps.predict import write_map
from engine.learning.positions import Positions
from engine.learning.tasks.table import task_of
from engine.learning.tasks.task import Task
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.workspace import workspace_of

LABELS, RASTER = "clicked-labels.geojson", "label-raster.tif"
SOURCE = "clicked labels; scores of patches whose place was left out"


def task_of_classes(
    classifier: Classifier, granularity: str
) -> SegmentationConfig | TileClassificationConfig:
    """The classes that were taught, as a training is configured with them: of pixels, or of tiles where a tile is a row."""
    classes = tuple(
        ClassConfig(value=number, name=one.name, colour=one.colour)
        for number, one in enumerate(classifier.classes)
    )
    if granularity == "tile":
        return TileClassificationConfig(name="tile_classification", classes=classes)
    return SegmentationConfig(classes=classes)


def keep_decoder(taught: Taught, root: Path | None = None, folder: Path | None = None) -> TrainRun:
    """Write the run folder of a decoder.

    Args:
        root: the workspace that gets it; None: that of the store.
        folder: a folder for it; None: a new one.

    Raises:
        StoreError: means over neighbours, which no decoder reads.
        JobError: the folder holds something else.
        DiskFull: no room.
    """
    store, view = taught.view.store, taught.view.view
    if view.window > 1:
        raise StoreError(
            f"{store.folder} is looked at by means of neighbours. A decoder reads single patches."
        )
    require_foldable(taught.classifier, store)
    config = _config(taught, "labels.tif")
    folder = folder or run_folder.new_folder(config, root or workspace_of(store.folder.parent))
    config = _config(taught, str((folder / RASTER).resolve()))
    run_folder.create(folder, config)
    append_event(folder, Submitted())
    append_event(folder, Started(os.getpid(), psutil.Process().create_time(), "cpu"))
    own = LabelSet(
        taught.classifier.classes,
        tuple(
            one
            for one in taught.labels.labels
            if one.class_name in {kind.name for kind in taught.classifier.classes}
        ),
    )
    write_labels(folder / LABELS, own)
    write_label_raster(folder / RASTER, taught.labels, taught.labelled, taught.view, taught.labelled.present)
    task = task_of(task_of_classes(taught.classifier, store.meta.granularity))
    scores = _scores(taught, task)
    _write(folder, config, taught, scores)
    run = TrainRun.open(folder)
    tags = own_ground_tags(run.decoder)
    write_map(run.predictions, _predicted(taught, task), task, task.prediction_style, tags)
    write_map(run.errors, _errors(taught, task), task, task.error_style, tags)
    write_json(folder / SCORES, scores)
    append_event(folder, TestDone(scores, task.watch))
    append_event(folder, Finished({"decoder": str(run.weights), "scores": scores}))
    run_folder.touch_workspace(folder)
    return run


def _config(taught: Taught, raster: str) -> TrainConfig:
    view = taught.view.view
    head = (
        HeadConfig(name="linear", hidden=())
        if taught.classifier.method == "logistic"
        else HeadConfig(name="knn", neighbours=taught.classifier.neighbours)
    )
    return TrainConfig(
        store=str(taught.view.store.folder.resolve()), task=task_of_classes(taught.classifier, taught.view.store.meta.granularity), layers=(view.layer,),
        labels=LabelsConfig(source="raster", path=raster), head=head, position=view.position, device="cpu",
    )  # fmt: skip


def _write(folder: Path, config: TrainConfig, taught: Taught, scores: dict[str, object]) -> None:
    """Weights first, then the card: a run with a card is complete."""
    store, view = taught.view.store, taught.view.view
    row_meta = EmbeddingStore.open(
        store.folder
    ).meta  # of a finer layer, a row of the store holds several patches
    positions = (
        None if view.places is None else Positions({view.layer: folded_places(view.places, store.cells)})
    )
    if positions is not None:
        positions.save(folder / POSITIONS)
    task = task_of(task_of_classes(taught.classifier, row_meta.granularity))
    state = decoder_state(taught.classifier, 1 if task.is_per_tile else row_meta.patch_px, task, store.cells)
    tiles = [tile.id for tile in _labelled_tiles(taught)]
    assert isinstance(config.task, SegmentationConfig | TileClassificationConfig)
    card = DecoderCard(
        schema_version=SCHEMA_VERSION, layers=(view.layer,), dims=(len(taught.basis.mean) * store.cells**2,), epoch=1, seed=config.seed,
        head=config.head.model_dump(mode="json"), split={"train": tiles, "val": [], "test": tiles},
        store=os.path.relpath(store.folder.resolve(), folder.resolve()), labels=LABELS, position=config.position,
        task=config.task.model_dump(mode="json"), cells=(1,), labels_source=SOURCE, config_hash=config_hash(config),
        licence=f"Licence of the encoder's weights as its card says; of the scenes: those of {store.meta.source or 'not stated'}.",
        created=datetime.now(UTC).isoformat(timespec="seconds"), **encoder_facts(row_meta),
    )  # fmt: skip
    write_decoder(folder / WEIGHTS, state, card, scores, positions)
    write_card(folder, card)


def _labelled_tiles(taught: Taught) -> list[StoredTile]:
    """The tiles of the store that have a label."""
    found, first = [], 0
    for tile in taught.view.store.tiles:
        begin, end = np.searchsorted(taught.labelled.rows, [first, first + tile.rows])
        found += [tile] if end > begin else []
        first += tile.rows
    return found


def _predicted(taught: Taught, task: Task) -> Iterator[tuple[StoredTile, np.ndarray]]:
    for tile in _labelled_tiles(taught):
        values, valid = taught.view.view.read_tile(tile)
        called = taught.classifier.predict(values.reshape(tile.rows, -1)).reshape(tile.h, tile.w)
        yield tile, task.map_values(_of_rows(np.where(valid > 0, called, -1), tile, task))


def _errors(taught: Taught, task: Task) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Labelled patches as they were called without their place."""
    labelled, first = taught.labelled, 0
    own = np.searchsorted(labelled.present, labelled.classes)
    wanted = {tile.id for tile in _labelled_tiles(taught)}
    for tile in taught.view.store.tiles:
        if tile.id in wanted:
            begin, end = np.searchsorted(labelled.rows, [first, first + tile.rows])
            truth, called = np.full((2, tile.rows), -1)
            truth[labelled.rows[begin:end] - first] = own[begin:end]
            called[labelled.rows[begin:end] - first] = taught.accuracy.called[begin:end]
            pixels = [_of_rows(one.reshape(tile.h, tile.w), tile, task) for one in (called, truth)]
            yield tile, task.errors(*pixels)
        first += tile.rows


def _of_rows(classes: np.ndarray, tile: StoredTile, task: Task) -> np.ndarray:
    """Classes of the rows of a tile as a map of the task has them: on its pixels, or one of the whole tile."""
    return classes if task.is_per_tile else as_pixels(classes, tile)


def _scores(taught: Taught, task: Task) -> dict[str, object]:
    """As a training leaves them, of pixels of labelled patches, or of tiles, that could be judged."""
    found, labelled = taught.accuracy, taught.labelled
    number = len(taught.classifier.classes)
    is_judged = found.called >= 0
    pairs = np.searchsorted(labelled.present, labelled.classes)[is_judged] * number + found.called[is_judged]
    pixels = 1 if task.is_per_tile else taught.view.store.meta.patch_px**2
    counts = np.bincount(pairs, minlength=number**2) * pixels
    return {
        **task.scores(counts), "tiles": len(_labelled_tiles(taught)), "places": found.places, "touching": None,
        f"{task.watch}_interval": None, "epoch": 1, "baseline": None, f"baseline_{task.watch}": None,
        "labels": found.labels, "labels_right": found.right, "notes": list(found.notes),
    }  # fmt: skip
