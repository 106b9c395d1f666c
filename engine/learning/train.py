"""JOB 2: a light decoder learns a task from a store and its labels, and is tested once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from engine.errors import ConfigError, DeviceFailure
from engine.files import write_atomic
from engine.jobs.configuration.config import TrainConfig, config_hash
from engine.jobs.events import Event, Noticed, StepStarted, TestDone, TrainPlanned
from engine.learning.baselines.table import BASELINES
from engine.learning.dataset import TrainingData, load_data
from engine.learning.evaluate import scores_of, write_maps
from engine.learning.heads.decoder import Decoder
from engine.learning.heads.table import build_decoder
from engine.learning.judging.judge import judge
from engine.learning.judging.judgement import JUDGEMENT
from engine.learning.keeping.card import SCHEMA_VERSION, DecoderCard, encoder_facts
from engine.learning.keeping.model_card import write_decoder
from engine.learning.keeping.result import POSITIONS, SCORES, WEIGHTS, TrainRun, write_card, write_json
from engine.learning.loop import at_once
from engine.learning.loop.epochs import Learned, learn
from engine.learning.loop.progress import forget
from engine.learning.loop.threads import threads_for
from engine.learning.positions import Positions
from engine.learning.preparation import Prepared, prepare, with_baselines
from engine.learning.tasks.table import settled
from engine.learning.truth import labelled_tiles
from engine.store.store import ENCODER, EmbeddingStore


def train(config: TrainConfig, folder: Path, root: Path) -> Iterator[Event]:
    """Train a decoder in a run folder, which gets the decoder, its scores and its maps.

    Args:
        folder: the run folder; a file named `stop` in it ends the training after the epoch, keeping the best. A run that was
            cut off goes on from its checkpoint there.
        root: where extractions that are made on the way, and the simulated season, are kept.

    Yields:
        The extraction's events where a store is made first, steps, TrainPlanned, EpochDone, TestDone.

    Raises:
        BadInput: a store, labels or a split that cannot be used.
    """
    device = choose_device(config.device)
    _require_precision(config, device)
    prepared = yield from prepare(config, root)
    task, store, split = prepared.task, prepared.store, prepared.split
    yield StepStarted("Reading embeddings")
    data = load_data(
        store, prepared.truth, split.tiles, prepared.layers, task, prepared.shape, device, prepared.positions
    )
    generator = torch.Generator().manual_seed(config.seed)
    learned = yield from _learn(config, prepared, data, generator, folder)
    yield from _may_go_on(config, learned)
    prepared = yield from with_baselines(config, prepared, root)
    yield StepStarted("Testing once")
    if prepared.positions is not None:
        prepared.positions.save(folder / POSITIONS)
    _keep_encoder(folder, store)
    card = _card(config, folder, prepared, learned.epoch)
    places = prepared.positions
    _save(folder, learned.decoder, card, {}, places)
    run = TrainRun.open(folder)
    judged = judge(run, store, prepared.truth, prepared.raws, root)
    scores = scores_of(run, store, judged.judgement)
    yield StepStarted("Drawing the maps of the test tiles")
    write_maps(run, judged, prepared.pixels_with_data()[0])
    _save(folder, learned.decoder, card, scores, places)
    write_json(folder / JUDGEMENT, judged.judgement.to_json())
    write_json(folder / SCORES, scores)
    forget(folder)
    yield TestDone(scores, task.watch)


def _learn(
    config: TrainConfig, prepared: Prepared, data: TrainingData, generator: torch.Generator, folder: Path
) -> Generator[Event, None, Learned]:
    """Epoch by epoch, or at once where the head has no gradient."""
    task, split = prepared.task, prepared.split
    places = {name: split.places_of(name) for name in split.tiles}
    tiles = {name: len(chosen) for name, chosen in split.tiles.items()}
    if not config.head.has_gradient:
        yield TrainPlanned(1, places, dict(data.known), 0, prepared.class_counts, tiles)
        return (yield from at_once.fit(config, task, data, generator, folder))
    decoder = build_decoder(
        config.head, prepared.shape, (data.mean, data.std), generator, data.features.device, task.label_scale
    )
    weights = sum(parameter.numel() for parameter in decoder.parameters())
    yield TrainPlanned(config.epochs, places, dict(data.known), weights, prepared.class_counts, tiles)
    with threads_for(weights, config.batch_patches, data.features.device):
        return (yield from learn(config, task, data, decoder, generator, folder, _key(config, prepared)))


def _may_go_on(config: TrainConfig, learned: Learned) -> Iterator[Event]:
    """That more epochs may help, where the last one was the best."""
    if config.head.has_gradient and learned.epoch == config.epochs:
        yield Noticed(
            f"The last epoch, {learned.epoch}, was the best on validation: the decoder was still learning, and more epochs may "
            f"help (epochs: {2 * config.epochs})."
        )


def _key(config: TrainConfig, prepared: Prepared) -> str:
    """sha256 of what is learned from and how: a checkpoint of another key is not gone on from."""
    meta = prepared.store.meta
    told = [
        config_hash(config),
        meta.config_hash,
        meta.scene_fingerprints,
        prepared.labels.path.name,
        torch.__version__,
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _require_precision(config: TrainConfig, device: torch.device) -> None:
    """Check that bfloat16 is asked of a GPU only.

    Raises:
        ConfigError: it is asked of another device, where it would be slow.
    """
    if config.precision == "bfloat16" and device.type != "cuda":
        raise ConfigError(
            f"precision: bfloat16 is for GPUs, and this training runs on {device.type}. Use precision: float32, or device: cuda."
        )


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


def _card(config: TrainConfig, folder: Path, prepared: Prepared, epoch: int) -> DecoderCard:
    """What the decoder was trained on and how, and what the baseline was fitted to on the same tiles."""
    store, layers, raws = prepared.store, prepared.layers, prepared.raws
    fitted = _fitted_baselines(prepared)
    task = settled(config.task, prepared.task)
    return DecoderCard(
        schema_version=SCHEMA_VERSION, layers=layers, epoch=epoch, seed=config.seed, baseline=fitted.pop("nbr", {}), position=config.position,
        dims=tuple(store.meta.dims[store.meta.layers.index(layer)] for layer in layers),
        head=config.head.model_dump(mode="json"), store=_from(folder, store.folder),
        labels=_from(folder, prepared.labels.path), raw_store=_from(folder, raws["nbr"].folder) if "nbr" in raws else "",
        more_baselines={key: {"raw_store": _from(folder, raws[key].folder), **own} for key, own in fitted.items()},
        split={
            name: [store.tiles[index].id for index in chosen] for name, chosen in prepared.split.tiles.items()
        },
        task=task if isinstance(task, str) else task.model_dump(mode="json"), cells=prepared.cells,
        labels_source=prepared.labels.source, licence=_licence(store.meta.source, store.meta.is_simulated),
        config_hash=config_hash(config), created=datetime.now(UTC).isoformat(timespec="seconds"),
        **encoder_facts(store.meta),
    )  # fmt: skip


def _fitted_baselines(prepared: Prepared) -> dict[str, dict[str, float]]:
    """What the rule of each baseline is fitted to on the training tiles, by its key."""
    if not prepared.raws:
        return {}
    taught = labelled_tiles(prepared.store, prepared.truth, prepared.split.tiles["train"])
    rules = BASELINES[prepared.task.name]
    return {
        rule.key: rule.fit(prepared.raws[rule.key], taught) for rule in rules if rule.key in prepared.raws
    }


def _licence(source: str, is_simulated: bool) -> str:
    """What is known of the licences of what a decoder was made of."""
    labels = (
        "CC0-1.0 (simulated)"
        if is_simulated
        else f"those of its labels and scenes ({source or 'not stated'})"
    )
    return f"Licence of the encoder's weights as its card says; of the training data: {labels}."


def _from(folder: Path, path: Path) -> str:
    """A path as seen from the run folder, so that all runs can be moved together."""
    return os.path.relpath(path.resolve(), folder.resolve())


def _keep_encoder(folder: Path, store: EmbeddingStore) -> None:
    """Keep weights that were drawn from scenes with the decoder, which reads nothing else; they go with the store otherwise."""
    drawn = store.folder / ENCODER
    if drawn.is_file():
        write_atomic(folder / ENCODER, lambda temporary: shutil.copyfile(drawn, temporary))


def _save(
    folder: Path, decoder: Decoder, card: DecoderCard, scores: dict[str, Any], positions: Positions | None
) -> None:
    """Weights with the card in their header first, then the card beside them: a run with a card is complete."""
    state = {name: value.detach().cpu().contiguous() for name, value in decoder.state_dict().items()}
    write_decoder(folder / WEIGHTS, state, card, scores, positions)
    write_card(folder, card)
