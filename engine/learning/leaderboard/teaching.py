"""One decoder of a leaderboard: taught as a training teaches it, and counted on the test tiles, tile by tile."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import EpochDone
from engine.learning.dataset import Span, TrainingData, load_data, spans_of, statistics
from engine.learning.heads.decoder import Decoder
from engine.learning.heads.table import build_decoder
from engine.learning.loop import at_once
from engine.learning.loop.epochs import learn
from engine.learning.positions import Positions
from engine.learning.preparation import Prepared
from engine.learning.tasks.task import Task


class Ended(Exception):
    """The leaderboard was ended while a decoder learned."""


@dataclass(frozen=True)
class Loaded:
    """The embeddings and labels of a store on the device, for some layers and position.

    Attributes:
        prepared: with these layers and this position.
    """

    prepared: Prepared
    data: TrainingData


@dataclass(frozen=True)
class Taught:
    """A decoder in the state that is kept.

    Attributes:
        epoch: whose state was kept, from 1; epochs: that were run.
        validation: metrics on the validation tiles.
        seconds: of the training.
    """

    decoder: Decoder
    epoch: int
    epochs: int
    validation: Mapping[str, float]
    seconds: float


def load(prepared: Prepared, device: torch.device, positions: Positions | None = None) -> Loaded:
    """Read a store once and put it on the device.

    Args:
        positions: taken off instead of the store's own, for a decoder of another store.
    """
    data = load_data(
        prepared.store, prepared.truth, prepared.split.tiles, prepared.layers, prepared.task, prepared.shape, device,
        positions or prepared.positions,
    )  # fmt: skip
    return Loaded(prepared, data)


def restricted(
    loaded: Loaded, tiles: Mapping[str, np.ndarray], config: TrainConfig
) -> tuple[TrainingData, Task]:
    """The same data with fewer tiles in its splits; standardisation and the task are fitted to the training tiles left.

    Args:
        tiles: indices into the store's tiles, of the splits that change.
    """
    data, spans = loaded.data, spans_of(loaded.prepared.store)
    own = {**data.spans, **{name: tuple(spans[index] for index in chosen) for name, chosen in tiles.items()}}
    rows = np.concatenate([np.arange(span.rows.start, span.rows.stop) for span in own["train"]])
    rows = rows[data.is_valid[rows]]
    features = data.features[torch.from_numpy(rows).to(data.features.device)].cpu().numpy()
    mean, std = statistics(features, np.arange(len(features)))
    device = data.features.device
    less = dataclasses.replace(
        data, spans=own, mean=torch.from_numpy(mean).to(device), std=torch.from_numpy(std).to(device)
    )
    return less, loaded.prepared.task.fitted(loaded.prepared.truth[rows], config.loss)


def teach(
    config: TrainConfig, task: Task, data: TrainingData, folder: Path, key: str, has_ended: threading.Event
) -> Taught:
    """Train one decoder as a training of this configuration does.

    Args:
        folder: gets checkpoints, from which the same decoder goes on.
        has_ended: set when nobody wants the decoder any more.

    Raises:
        Ended: `has_ended` was set.
        RunFailure: the loss is not a number from the first epoch on.
    """
    began = time.monotonic()
    generator = torch.Generator().manual_seed(config.seed)
    if not config.head.has_gradient:
        decoder, _ = at_once.fitted(config, task, data, generator)
        chosen = counts_of_tiles(decoder, task, data, "validation", has_ended).sum(axis=0)
        # As an epoch's seconds, these count the validation: most of what a k-NN takes is asking it.
        return Taught(decoder, 1, 1, task.metrics(chosen), time.monotonic() - began)
    statistics_of = (data.mean, data.std)
    device = data.features.device
    decoder = build_decoder(config.head, data.shape, statistics_of, generator, device, task.label_scale)
    epochs: list[EpochDone] = []
    learning = learn(config, task, data, decoder, generator, folder, key, is_filmed=False)
    while True:
        try:
            event = next(learning)
        except StopIteration as end:
            learned = end.value
            break
        if has_ended.is_set():
            raise Ended
        if isinstance(event, EpochDone):
            epochs.append(event)
    kept = next(event for event in epochs if event.epoch == learned.epoch)
    seconds = sum(event.seconds for event in epochs)
    return Taught(learned.decoder, learned.epoch, len(epochs), kept.validation, seconds)


@torch.no_grad()
def counts_of_tiles(
    decoder: Decoder, task: Task, data: TrainingData, split: str, has_ended: threading.Event
) -> np.ndarray:
    """(tiles, N) counts of the decoder's outputs against the labels, in the order of the split.

    Raises:
        Ended: `has_ended` was set.
    """
    found = []
    for span in data.spans[split]:
        if has_ended.is_set():
            raise Ended
        found.append(_counts(decoder, task, data, span))
    return np.stack(found)


def _counts(decoder: Decoder, task: Task, data: TrainingData, span: Span) -> np.ndarray:
    rows, labels = data.features[span.rows], data.labels[span.rows]
    if decoder.sees_neighbours:
        grid: Sequence[int] = (1, span.tile.h, span.tile.w, -1)
        outputs = decoder(rows.view(*grid))
        return np.asarray(task.counts(outputs, labels.view(*grid)).cpu().numpy())
    return np.asarray(task.counts(decoder(rows), labels).cpu().numpy())
