"""JOB 2: a light decoder learns burn scars from a store and its labels, and is judged once."""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save

from engine.errors import DeviceFailure, SceneError
from engine.extraction.extract import ensure_store, store_folder
from engine.files import write_atomic
from engine.jobs import folder as run_folder
from engine.jobs.config import ExtractConfig, LossConfig, TrainConfig
from engine.jobs.events import EpochDone, Event, Noticed, StepStarted, TestDone, TrainPlanned
from engine.labels.sidecar import labels_for, read_labels
from engine.learning.baseline import choose_threshold, has_bands, raw_config
from engine.learning.dataset import TrainingData, load_data
from engine.learning.evaluate import score_run, truth_of, write_maps
from engine.learning.heads import Decoder, build_decoder
from engine.learning.losses import loss_of
from engine.learning.metrics import Confusion
from engine.learning.result import (
    SCHEMA_VERSION,
    SCORES,
    WEIGHTS,
    DecoderCard,
    TrainRun,
    encoder_facts,
    write_card,
    write_json,
)
from engine.learning.split import split_places
from engine.learning.threads import threads_for
from engine.store.store import EmbeddingStore

# The rate climbs over this share of the steps, then falls by a cosine to nothing (Loshchilov & Hutter 2017).
_WARM_UP = 0.05
# The metric on the validation split that decides which epoch is kept.
WATCH = "iou_burned"


@dataclass(frozen=True)
class Learned:
    """The decoder in its best state by validation IoU, and the epoch (from 1) that it had it in."""

    decoder: Decoder
    epoch: int


@dataclass(frozen=True)
class Epoch:
    """Mean loss over labelled pixels, and counts of one pass."""

    loss: float
    confusion: Confusion

    def metrics(self) -> dict[str, float]:
        """What an epoch's event tells, by name."""
        return {"loss": self.loss, "iou_burned": self.confusion.iou(), "f1_burned": self.confusion.f1()}


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
    store = yield from _open_store(config, root)
    raw = yield from _open_raw(store, root)
    yield StepStarted("Reading labels")
    labels = labels_for(store, config.labels, root)
    split = split_places(store, config.split, config.seed)
    truth = read_labels(labels, store)
    layers = config.layers or store.meta.layers
    data = load_data(store, truth, split, layers, choose_device(config.device))
    generator = torch.Generator().manual_seed(config.seed)
    decoder = build_decoder(
        config.head, data.mean, data.std, store.meta.patch_px, generator, data.features.device
    )
    yield _planned(config, data, decoder)
    weights = sum(parameter.numel() for parameter in decoder.parameters())
    with threads_for(weights, config.batch_patches, data.features.device):
        learned = yield from learn(config, data, decoder, generator, folder / run_folder.STOP)
    yield StepStarted("Testing once")
    threshold = choose_threshold(raw, truth_of(store, truth, split["train"])) if raw else None
    card = DecoderCard(
        schema_version=SCHEMA_VERSION, layers=tuple(layers), dims=_dims(store, layers), epoch=learned.epoch,
        head=config.head.model_dump(mode="json"), seed=config.seed, baseline_threshold=threshold,
        split={name: [store.tiles[index].id for index in chosen] for name, chosen in split.items()},
        store=_from(folder, store.folder), labels=_from(folder, labels.path),
        raw_store=_from(folder, raw.folder) if raw else "", **encoder_facts(store.meta),
    )  # fmt: skip
    _save(folder, learned.decoder, card)
    run = TrainRun.open(folder)
    scores = score_run(run, store, truth, raw)
    write_maps(run, store, truth)
    write_json(folder / SCORES, scores)
    yield TestDone(scores, WATCH)


def learn(
    config: TrainConfig, data: TrainingData, decoder: Decoder, generator: torch.Generator, stop: Path
) -> Generator[Event, None, Learned]:
    """The training loop: steps over the training places, then a look at the validation places, epoch by epoch."""
    optimizer = torch.optim.AdamW(
        decoder.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    whole = decoder.sees_neighbours
    steps = config.epochs * sum(1 for _ in data.batches("train", config.batch_patches, whole))
    best_value, best_epoch, best_state, step = -1.0, 0, copy.deepcopy(decoder.state_dict()), 0
    for epoch in range(1, config.epochs + 1):
        began, seen = time.monotonic(), []
        decoder.train()
        for embeddings, labels in data.batches("train", config.batch_patches, whole, generator):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(step, steps, config.learning_rate)
            logits = decoder(embeddings)
            loss = loss_of(logits, labels, config.loss)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen.append(_measured(loss, logits, labels))
            step += 1
        taught = _together(seen)
        chosen = validate(decoder, data, "validation", config.batch_patches, config.loss)
        watched = chosen.metrics()[WATCH]
        is_best = watched > best_value
        if is_best:
            best_value, best_epoch, best_state = watched, epoch, copy.deepcopy(decoder.state_dict())
        yield EpochDone(epoch, config.epochs, taught.metrics(), chosen.metrics(), WATCH, is_best,
                        round(time.monotonic() - began, 3))  # fmt: skip
        if stop.exists() or epoch - best_epoch >= config.patience:
            break
    decoder.load_state_dict(best_state)
    return Learned(decoder.eval(), best_epoch)


@torch.no_grad()
def validate(decoder: Decoder, data: TrainingData, split: str, patches: int, loss: LossConfig) -> Epoch:
    """Loss and counts over a split, without learning."""
    decoder.eval()
    seen = []
    for embeddings, labels in data.batches(split, patches, decoder.sees_neighbours):
        logits = decoder(embeddings)
        seen.append(_measured(loss_of(logits, labels, loss), logits, labels))
    return _together(seen)


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
            f"device {device} was wanted, found {there} of kind {kind}. Use device: auto or cpu."
        )
    return torch.device(device)


def _measured(
    loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss times labelled pixels with their number, and counts (4,), kept on the device until the epoch ends."""
    pairs = labels * 2 + (logits.detach() > 0)  # truth * 2 + prediction; missing ones fall below 0
    counts = torch.bincount((pairs.flatten() + 2).clamp_(min=1), minlength=6)[2:]
    number = counts.sum()
    return torch.stack([loss.detach() * number, number.to(loss.dtype)]), counts


def _together(seen: list[tuple[torch.Tensor, torch.Tensor]]) -> Epoch:
    loss, pixels = torch.stack([item[0] for item in seen]).double().sum(dim=0).tolist()
    counts = torch.stack([item[1] for item in seen]).sum(dim=0).cpu().numpy().reshape(2, 2)
    return Epoch(loss / pixels, Confusion(counts))


def _open_store(config: TrainConfig, root: Path) -> Generator[Event, None, EmbeddingStore]:
    """The store that a configuration names, made first when it is not there."""
    if isinstance(config.store, ExtractConfig):
        yield from ensure_store(config.store, root)
        return EmbeddingStore.open(store_folder(config.store, root))
    yield StepStarted("Opening the store")
    given = Path(config.store).expanduser()
    return EmbeddingStore.open(given if given.is_absolute() or given.exists() else root / given)


def _open_raw(store: EmbeddingStore, root: Path) -> Generator[Event, None, EmbeddingStore | None]:
    """Raw reflectances on the same tiles, for the baseline; None, said aloud, where NBR has no bands."""
    yield StepStarted("Reading reflectances for the NBR baseline")
    config = raw_config(store)
    try:
        yield from (event for event in ensure_store(config, root) if not isinstance(event, Noticed))
    except SceneError as err:
        yield Noticed(f"No NBR baseline: the scenes' pixels cannot be read again ({err})")
        return None
    raw = EmbeddingStore.open(store_folder(config, root))
    if has_bands(raw):
        return raw
    yield Noticed(
        f"No NBR baseline: it needs nir_narrow and swir_2; the scenes have {', '.join(raw.meta.bands)}."
    )
    return None


def _planned(config: TrainConfig, data: TrainingData, decoder: Decoder) -> TrainPlanned:
    return TrainPlanned(
        config.epochs,
        {name: len(spans) for name, spans in data.places.items()},
        {name: data.pixels(name) for name in data.places},
        sum(parameter.numel() for parameter in decoder.parameters()),
    )


def _dims(store: EmbeddingStore, layers: Sequence[int]) -> tuple[int, ...]:
    return tuple(store.meta.dims[store.meta.layers.index(layer)] for layer in layers)


def _from(folder: Path, path: Path) -> str:
    """A path as seen from the run folder, so that all runs can be moved together."""
    return os.path.relpath(path.resolve(), folder.resolve())


def _save(folder: Path, decoder: Decoder, card: DecoderCard) -> None:
    """Weights first, then the card: a run with a card is whole."""
    state = {name: value.detach().cpu().contiguous() for name, value in decoder.state_dict().items()}
    write_atomic(folder / WEIGHTS, lambda temporary: temporary.write_bytes(save(state)))
    write_card(folder, card)
