"""The training loop: steps over the training tiles, then a look at the validation tiles, epoch by epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.errors import RunFailure
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import EpochDone, Event, Noticed
from engine.learning.dataset import Batch, TrainingData
from engine.learning.heads.decoder import Decoder
from engine.learning.loop import progress as checkpoints
from engine.learning.loop.film import Film
from engine.learning.loop.flips import flipped
from engine.learning.loop.optimization import (
    is_time_to_halve,
    learning_rate_at,
    optimizer_of,
)
from engine.learning.loop.progress import Progress
from engine.learning.tasks.task import Task

# A checkpoint is written at most this often: small epochs would otherwise spend their time on it.
_SECONDS_BETWEEN_CHECKPOINTS = 2.0


@dataclass(frozen=True)
class Learned:
    """The decoder in its best state by the watched metric on validation, and the epoch (from 1) that it had it in."""

    decoder: Decoder
    epoch: int


def learn(
    config: TrainConfig,
    task: Task,
    data: TrainingData,
    decoder: Decoder,
    generator: torch.Generator,
    folder: Path,
    key: str = "",
    is_filmed: bool = True,
) -> Generator[Event, None, Learned]:
    """Train to the end, to a request to stop, or until validation no longer improves.

    Args:
        folder: the run folder: a file named `stop` in it ends the training after the epoch; it gets checkpoints and the
            film of the watched tile, and a run that was cut off goes on from its checkpoint.
        key: identifies what is learned from.
        is_filmed: False: no pictures of a validation tile are made.

    Raises:
        RunFailure: the loss is not a number from the first epoch on.
    """
    optimizer = optimizer_of(config, decoder.parameters())
    film = Film(folder, task, data, config.watch_tile) if is_filmed else None
    found = checkpoints.go_on(folder, key, decoder, optimizer, generator)
    yield from _told_again(found)
    now, kept_at = found or Progress(checkpoints.copied(decoder)), time.monotonic()
    steps = config.epochs * sum(
        1 for _ in data.batches("train", config.batch_patches, decoder.sees_neighbours)
    )
    while now.epoch < config.epochs and not _is_over(config, now, folder):
        began, seen, step, rate = time.monotonic(), [], now.step, 0.0
        decoder.train()
        for embeddings, labels in _batches(config, data, decoder, generator):
            rate = learning_rate_at(config, step, steps, now.halvings)
            with _precision(config, data):
                outputs = decoder(embeddings)
            loss = task.loss(outputs, labels, config.loss)
            optimizer.forget_gradients()
            loss.backward()
            if config.clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(decoder.parameters(), config.clip_norm)
            optimizer.step(rate)
            seen.append(_measured(task, loss, outputs, labels))
            step += 1
        taught, trained_s = together(task, seen), time.monotonic() - began
        chosen = validate(config, decoder, task, data, "validation")
        if not (math.isfinite(taught["loss"]) and math.isfinite(chosen["loss"])):
            yield _not_a_number(now)
            break
        if film is not None:
            film.shoot(now.epoch + 1, decoder)
        done = EpochDone(
            now.epoch + 1, config.epochs, taught, chosen, task.watch, now.is_better(chosen[task.watch]),
            round(time.monotonic() - began, 3), rate, round(data.rows_of("train") / max(trained_s, 1e-9)),
            round((time.monotonic() - began) * (config.epochs - now.epoch - 1), 3),
        )  # fmt: skip
        now = now.after(done, step, decoder)
        if is_time_to_halve(config, now.epoch, now.best_epoch, now.last_halving):
            now = now.halved()
        if time.monotonic() - kept_at >= _SECONDS_BETWEEN_CHECKPOINTS:
            checkpoints.keep(folder, key, now, decoder, optimizer, generator)
            kept_at = time.monotonic()
        yield done
    decoder.load_state_dict(now.best_state)
    return Learned(decoder.eval(), now.best_epoch)


@torch.no_grad()
def validate(
    config: TrainConfig, decoder: Decoder, task: Task, data: TrainingData, split: str
) -> dict[str, float]:
    """Loss and metrics over a split, without learning."""
    decoder.eval()
    seen = []
    for embeddings, labels in data.batches(split, config.batch_patches, decoder.sees_neighbours):
        with _precision(config, data):
            outputs = decoder(embeddings)
        seen.append(_measured(task, task.loss(outputs, labels, config.loss), outputs, labels))
    return together(task, seen)


def together(task: Task, seen: list[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, float]:
    """The mean loss and the metrics of an epoch's batches."""
    loss, number = torch.stack([item[0] for item in seen]).cpu().double().sum(dim=0).tolist()
    counts = torch.stack([item[1] for item in seen]).sum(dim=0).cpu().numpy()
    return {"loss": loss / number, **task.metrics(np.asarray(counts))}


def _batches(
    config: TrainConfig, data: TrainingData, decoder: Decoder, generator: torch.Generator
) -> Iterator[Batch]:
    """The training batches of an epoch in a new order, turned and flipped where that is asked for."""
    for embeddings, labels in data.batches("train", config.batch_patches, decoder.sees_neighbours, generator):
        if config.augment == "flips":
            yield flipped(embeddings, labels, data.shape, generator)
        else:
            yield embeddings, labels


def _precision(config: TrainConfig, data: TrainingData) -> AbstractContextManager[object]:
    """Products of bfloat16 where they are asked for."""
    return torch.autocast(
        data.features.device.type, dtype=torch.bfloat16, enabled=config.precision == "bfloat16"
    )


def _is_over(config: TrainConfig, now: Progress, folder: Path) -> bool:
    """Whether to stop before the last epoch: asked to, or no better for the epochs of patience."""
    if now.epoch == 0:
        return False
    return (folder / run_folder.STOP).exists() or now.epoch - now.best_epoch >= config.patience


def _told_again(found: Progress | None) -> Iterator[Event]:
    """The epochs of a run that goes on."""
    if found is not None:
        yield Noticed(f"The training goes on after epoch {found.epoch}, from its checkpoint.")
        yield from found.told


def _not_a_number(now: Progress) -> Noticed:
    """What is said when the loss is no number any more.

    Raises:
        RunFailure: there is no state to keep.
    """
    advice = "Use a smaller learning_rate, or clip_norm: 1."
    if now.best_epoch == 0:
        raise RunFailure(f"The loss is not a number in the first epoch, so nothing was learned. {advice}")
    return Noticed(
        f"The loss is not a number in epoch {now.epoch + 1}: the training stops there, and the state of epoch "
        f"{now.best_epoch}, the best before, is kept. {advice}"
    )


def _measured(
    task: Task, loss: torch.Tensor, outputs: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss times known labels with their number, and the task's counts, kept on the device until the epoch ends."""
    number = task.is_known(labels).sum()
    return torch.stack([loss.detach() * number, number.to(loss.dtype)]), task.counts(outputs, labels)
