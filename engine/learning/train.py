"""JOB 2: a light decoder learns a task from a store and its labels, and is tested once."""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from engine.errors import DeviceFailure
from engine.files import write_atomic
from engine.jobs import folder as run_folder
from engine.jobs.config import LossConfig, SegmentationConfig, TrainConfig
from engine.jobs.events import EpochDone, Event, StepStarted, TestDone, TrainPlanned
from engine.learning.baselines.table import BASELINES
from engine.learning.card import SCHEMA_VERSION, DecoderCard, encoder_facts
from engine.learning.dataset import TrainingData, load_data
from engine.learning.evaluate import score_run, write_maps
from engine.learning.heads import Decoder, build_decoder
from engine.learning.preparation import Prepared, prepare
from engine.learning.result import POSITIONS, SCORES, WEIGHTS, TrainRun, write_card, write_json
from engine.learning.tasks.task import Task
from engine.learning.threads import threads_for
from engine.learning.truth import labelled_tiles

# The rate climbs over this share of the steps, then falls by a cosine to nothing (Loshchilov & Hutter 2017).
_WARM_UP = 0.05


@dataclass(frozen=True)
class Learned:
    """The decoder in its best state by the watched metric on validation, and the epoch (from 1) that it had it in."""

    decoder: Decoder
    epoch: int


def train(config: TrainConfig, folder: Path, root: Path) -> Iterator[Event]:
    """Train a decoder in a run folder, which gets the decoder, its scores and its maps.

    Args:
        folder: the run folder; a file named `stop` in it ends the training after the epoch, keeping the best.
        root: where extractions that are made on the way, and the simulated season, are kept.

    Yields:
        The extraction's events where a store is made first, steps, TrainPlanned, EpochDone, TestDone.

    Raises:
        BadInput: a store, labels or a split that cannot be used.
    """
    prepared = yield from prepare(config, root)
    task, store, split = prepared.task, prepared.store, prepared.split
    device = choose_device(config.device)
    data = load_data(store, prepared.truth, split.tiles, prepared.layers, task, device, prepared.positions)
    generator = torch.Generator().manual_seed(config.seed)
    outputs = task.outputs(store.meta.patch_px)
    decoder = build_decoder(config.head, data.mean, data.std, outputs, generator, data.features.device)
    weights = sum(parameter.numel() for parameter in decoder.parameters())
    places = {name: split.places_of(name) for name in split.tiles}
    yield TrainPlanned(config.epochs, places, dict(data.known), weights)
    with threads_for(weights, config.batch_patches, data.features.device):
        learned = yield from learn(config, task, data, decoder, generator, folder / run_folder.STOP)
    yield StepStarted("Testing once")
    if prepared.positions is not None:
        prepared.positions.save(folder / POSITIONS)
    _save(folder, learned.decoder, _card(config, folder, prepared, learned.epoch))
    run = TrainRun.open(folder)
    scores = score_run(run, store, prepared.truth, prepared.raw)
    write_maps(run, store, prepared.truth, prepared.pixels_with_data)
    write_json(folder / SCORES, scores)
    yield TestDone(scores, task.watch)


def learn(
    config: TrainConfig,
    task: Task,
    data: TrainingData,
    decoder: Decoder,
    generator: torch.Generator,
    stop: Path,
) -> Generator[Event, None, Learned]:
    """The training loop: steps over the training tiles, then a look at the validation tiles, epoch by epoch."""
    optimizer = torch.optim.AdamW(
        decoder.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    whole = decoder.sees_neighbours
    steps = config.epochs * sum(1 for _ in data.batches("train", config.batch_patches, whole))
    best, best_epoch, best_state, step = -math.inf, 0, copy.deepcopy(decoder.state_dict()), 0
    for epoch in range(1, config.epochs + 1):
        began, seen = time.monotonic(), []
        decoder.train()
        for embeddings, labels in data.batches("train", config.batch_patches, whole, generator):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(step, steps, config.learning_rate)
            outputs = decoder(embeddings)
            loss = task.loss(outputs, labels, config.loss)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen.append(_measured(task, loss, outputs, labels))
            step += 1
        taught = _together(task, seen)
        chosen = validate(decoder, task, data, "validation", config.batch_patches, config.loss)
        is_best = chosen[task.watch] > best
        if is_best:
            best, best_epoch, best_state = chosen[task.watch], epoch, copy.deepcopy(decoder.state_dict())
        yield EpochDone(
            epoch, config.epochs, taught, chosen, task.watch, is_best, round(time.monotonic() - began, 3)
        )
        if stop.exists() or epoch - best_epoch >= config.patience:
            break
    decoder.load_state_dict(best_state)
    return Learned(decoder.eval(), best_epoch)


@torch.no_grad()
def validate(
    decoder: Decoder, task: Task, data: TrainingData, split: str, patches: int, loss: LossConfig
) -> dict[str, float]:
    """Loss and metrics over a split, without learning."""
    decoder.eval()
    seen = []
    for embeddings, labels in data.batches(split, patches, decoder.sees_neighbours):
        outputs = decoder(embeddings)
        seen.append(_measured(task, task.loss(outputs, labels, loss), outputs, labels))
    return _together(task, seen)


def learning_rate_at(step: int, steps: int, peak: float) -> float:
    """Linear climb, then half a cosine down to zero.

    Args:
        step: from 0, below `steps`.
    """
    climb = max(1, round(_WARM_UP * steps))
    if step < climb:
        return peak * (step + 1) / climb
    return peak * 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1, steps - climb)))


def choose_device(device: str) -> torch.device:
    """The device that a configuration names; auto takes CUDA, then Apple's, then the CPU.

    Raises:
        DeviceFailure: it is not there.
    """
    if device == "auto":
        device = (
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    kind, _, index = device.partition(":")
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}[kind]
    if int(index or 0) >= there:
        raise DeviceFailure(
            f"Device {device} is not there: this machine has {there} of kind {kind}. Use device: auto or cpu."
        )
    return torch.device(device)


def _measured(
    task: Task, loss: torch.Tensor, outputs: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss times known labels with their number, and the task's counts, kept on the device until the epoch ends."""
    number = task.is_known(labels).sum()
    return torch.stack([loss.detach() * number, number.to(loss.dtype)]), task.counts(outputs, labels)


def _together(task: Task, seen: list[tuple[torch.Tensor, torch.Tensor]]) -> dict[str, float]:
    """The mean loss and the metrics of an epoch's batches."""
    loss, number = torch.stack([item[0] for item in seen]).double().sum(dim=0).tolist()
    counts = torch.stack([item[1] for item in seen]).sum(dim=0).cpu().numpy()
    return {"loss": loss / number, **task.metrics(np.asarray(counts))}


def _card(config: TrainConfig, folder: Path, prepared: Prepared, epoch: int) -> DecoderCard:
    """What the decoder was trained on and how, and what the baseline was fitted to on the same tiles."""
    task, store, raw, layers = config.task, prepared.store, prepared.raw, prepared.layers
    fitted: dict[str, float] = {}
    if raw is not None:
        taught = labelled_tiles(store, prepared.truth, prepared.split.tiles["train"])
        fitted = BASELINES[prepared.task.name].fit(raw, taught)
    return DecoderCard(
        schema_version=SCHEMA_VERSION, layers=layers, epoch=epoch, seed=config.seed, baseline=fitted, position=config.position,
        dims=tuple(store.meta.dims[store.meta.layers.index(layer)] for layer in layers),
        head=config.head.model_dump(mode="json"), store=_from(folder, store.folder),
        labels=_from(folder, prepared.labels.path), raw_store=_from(folder, raw.folder) if raw else "",
        split={
            name: [store.tiles[index].id for index in chosen] for name, chosen in prepared.split.tiles.items()
        },
        task=task.model_dump(mode="json") if isinstance(task, SegmentationConfig) else task,
        **encoder_facts(store.meta),
    )  # fmt: skip


def _from(folder: Path, path: Path) -> str:
    """A path as seen from the run folder, so that all runs can be moved together."""
    return os.path.relpath(path.resolve(), folder.resolve())


def _save(folder: Path, decoder: Decoder, card: DecoderCard) -> None:
    """Weights first, then the card: a run with a card is complete."""
    state = {name: value.detach().cpu().contiguous() for name, value in decoder.state_dict().items()}
    write_atomic(folder / WEIGHTS, lambda temporary: temporary.write_bytes(save(state)))
    write_card(folder, card)
