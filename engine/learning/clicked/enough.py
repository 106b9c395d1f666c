"""Whether clicked labels are enough to train on: training, validation and test need places of their own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.errors import ConfigError, LabelError
from engine.jobs.configuration.config import SplitConfig
from engine.jobs.configuration.task import ClassConfig, SegmentationConfig
from engine.labels.clicked.label_set import LabelSet
from engine.labels.clicked.on_store import LabelledRows
from engine.learning.splits.draws import drawn_among
from engine.learning.splits.places import place_numbers
from engine.learning.splits.split import split_tiles
from engine.learning.tasks.table import task_of
from engine.store.store import EmbeddingStore


def task_config(found: LabelSet, labelled: LabelledRows) -> SegmentationConfig:
    """The classes that have labels, by their numbers from 0."""
    own = [found.classes[number] for number in labelled.present]
    return SegmentationConfig(
        classes=tuple(
            ClassConfig(value=value, name=one.name, colour=one.colour) for value, one in enumerate(own)
        )
    )


def what_lacks(found: LabelSet, labelled: LabelledRows, store: EmbeddingStore) -> str:
    """What has to be labelled before a training can divide the labels as it does; empty where they are enough.

    Args:
        labelled: of two classes or more.
    """
    task = task_of(task_config(found, labelled))
    ends = np.cumsum([tile.rows for tile in store.tiles])
    tile_of_row = np.searchsorted(ends, labelled.rows, side="right")
    kinds = np.searchsorted(labelled.present, labelled.classes)
    classes = [set(kinds[tile_of_row == index].tolist()) for index in range(len(store.tiles))]

    def require(tiles: Mapping[str, np.ndarray]) -> None:
        there = {name: sorted(set().union(*(classes[one] for one in own))) for name, own in tiles.items()}
        task.require_labels({name: np.array(own, int) for name, own in there.items()})

    try:
        require(split_tiles(store.tiles, SplitConfig(), 0).tiles)
    except ConfigError as err:
        return str(err)
    except LabelError as err:
        has_label = np.array([bool(one) for one in classes])
        if drawn_among(store.tiles, has_label, SplitConfig(), 0, require, classes) is None:
            return _advice(found, labelled, store, tile_of_row) or str(err)
    return ""


def _advice(found: LabelSet, labelled: LabelledRows, store: EmbeddingStore, tile_of_row: np.ndarray) -> str:
    """Classes that have too few places, and how many more they need."""
    if any(tile.split for tile in store.tiles):
        return ""
    with_labels = np.unique(tile_of_row)
    place_of_tile = dict(
        zip(
            with_labels.tolist(),
            place_numbers([store.tiles[one] for one in with_labels.tolist()]).tolist(),
            strict=True,
        )
    )
    needed = 3 if len(labelled.present) == 2 else 2
    lacks = []
    for number in labelled.present:
        places = {place_of_tile[one] for one in tile_of_row[labelled.classes == number].tolist()}
        if (more := needed - len(places)) > 0:
            lacks.append(
                f"label {more} more of {found.classes[number].name} in {more} other {'place' if more == 1 else 'places'}"
            )
    if not lacks:
        lacks = ["label one more patch of each class in another place"]
    return f"A training needs places of their own for training, validation and test: {'; '.join(lacks)}."
