"""Heads without gradient: fitted at once to the training patches, then judged as an epoch of a training is."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import torch

from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import EpochDone, Event, Noticed
from engine.learning.dataset import TrainingData
from engine.learning.heads.decoder import Decoder
from engine.learning.heads.table import fit_decoder
from engine.learning.loop.epochs import Learned, validate
from engine.learning.loop.film import Film
from engine.learning.tasks.task import Task

# More training patches make k-NN slow and its file large, and trees no better: 20,000 are drawn.
_MOST_PATCHES = 20_000
_MOST_LABELS = 40_000_000


def fit(
    config: TrainConfig,
    task: Task,
    data: TrainingData,
    generator: torch.Generator,
    folder: Path,
) -> Generator[Event, None, Learned]:
    """Fit a head to the labelled training patches, or to a random draw where they are many."""
    began = time.monotonic()
    decoder, taken = fitted(config, task, data, generator)
    every = len(data.labelled_rows("train"))
    if taken < every:
        yield Noticed(
            f"{config.head.name} takes {taken:,} of the {every:,} training patches, drawn at random."
        )
    taught = validate(config, decoder, task, data, "train")
    chosen = validate(config, decoder, task, data, "validation")
    Film(folder, task, data, config.watch_tile).shoot(1, decoder)
    seconds = time.monotonic() - began
    yield EpochDone(
        1, 1, taught, chosen, task.watch, True, round(seconds, 3), 0.0, round(taken / max(seconds, 1e-9))
    )
    return Learned(decoder, 1)


def fitted(
    config: TrainConfig, task: Task, data: TrainingData, generator: torch.Generator
) -> tuple[Decoder, int]:
    """The decoder, for use, and how many training patches it was fitted to."""
    rows = data.labelled_rows("train")
    most = min(_MOST_PATCHES, max(1, _MOST_LABELS // data.shape.outputs))
    if len(rows) > most:
        rows = rows[torch.randperm(len(rows), generator=generator)[:most].to(rows.device)].sort().values
    expected = task.expected(data.labels[rows])
    decoder = fit_decoder(
        config.head, data.shape, (data.mean, data.std), data.features[rows], expected, config.seed
    )
    return decoder.eval(), len(rows)
