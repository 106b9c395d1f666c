"""The stores of a leaderboard on shared ground, opened: the first with its labels, the others with what it says of theirs."""

from __future__ import annotations

import functools
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from engine.errors import ConfigError
from engine.extraction.pixels.pixel_gaps import pixels_with_data
from engine.jobs.configuration.config import ExtractConfig, LeaderboardConfig, TrainConfig
from engine.jobs.events import Event, Noticed, StepStarted
from engine.labels.sidecar import Labels, read_labels
from engine.learning.leaderboard.shared_ground.division import Divided, divided, earlier_dates
from engine.learning.preparation import Prepared, open_store, read_from_files, shaped, with_baselines
from engine.learning.splits.split import Split
from engine.learning.tasks.table import task_of
from engine.learning.tasks.task import Task

# Until the ground is divided.
_NO_SPLIT = Split({}, np.zeros(0, int), 0, 0.0)


def open_shared(
    config: LeaderboardConfig, asked: Sequence[str | ExtractConfig], root: Path
) -> Generator[Event, None, list[Divided]]:
    """Open every store, make those that are not there, and divide the ground that they share.

    Raises:
        BadInput: a store, its labels or its ground cannot be used.
    """
    task = task_of(config.training.task)
    if task.is_per_tile:
        raise ConfigError(
            f"The task {task.name} has one label a tile, and ground: shared is judged by pixels. Leave ground out."
        )
    trainings = [config.training_of(one, config.heads[0], config.seeds[0], None, "keep") for one in asked]
    first = yield from _labelled(trainings[0], task, root)
    opened = [first]
    for training in trainings[1:]:
        opened += [(yield from _opened(training, task, root, first.labels))]
    yield StepStarted("Finding the labelled ground that all stores share")
    if left := earlier_dates(first):
        yield Noticed(
            f"{left} tile(s) of {first.store.folder} are left out: a later date has their ground, and labels tell of one state of it."
        )
    found = divided(opened, trainings[0].split, trainings[0].loss)
    judged = yield from with_baselines(trainings[0], found[0].prepared, root)
    return [Divided(judged, None), *found[1:]]


def _labelled(training: TrainConfig, task: Task, root: Path) -> Generator[Event, None, Prepared]:
    """The first store with its labels."""
    store = yield from open_store(training, task, root)
    gaps = functools.cache(lambda: pixels_with_data(store, root))
    labels = yield from read_from_files(training, task, store, root, gaps)
    layers, cells, shape = shaped(training, task, store)
    truth = read_labels(labels, store)
    return Prepared(task, store, layers, _NO_SPLIT, labels, truth, gaps, None, cells, shape, {})


def _opened(
    training: TrainConfig, task: Task, root: Path, labels: Labels
) -> Generator[Event, None, Prepared]:
    """Another store, whose labels will be those of the first."""
    store = yield from open_store(training, task, root)
    layers, cells, shape = shaped(training, task, store)
    truth = np.zeros((store.rows, 0))
    gaps = functools.cache(lambda: pixels_with_data(store, root))
    return Prepared(task, store, layers, _NO_SPLIT, labels, truth, gaps, None, cells, shape, {})
