"""JOB 3: a trained decoder maps ground, place by place: embeddings where they are missing, probability, class."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import torch

from engine.errors import StoreError
from engine.extraction.extract import ensure_store, store_folder
from engine.extraction.pixels.pixel_gaps import pixels_with_data
from engine.files import make_folder
from engine.jobs.configuration.config import ApplyConfig, ExtractConfig
from engine.jobs.events import ApplyDone, Event, MapTileDone, Noticed, StepStarted
from engine.labels.patches import to_pixels
from engine.learning.maps.facts import PROBABILITY, MapFacts, class_style, facts_of, write_facts
from engine.learning.predict import TileOutputs, note_of, tile_outputs
from engine.learning.result import TrainRun
from engine.learning.tasks.task import Task
from engine.paths import resolve_path
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.maps.overlay import store_tags, write_mosaic
from engine.views.maps.probability_map import BANDS, NODATA, STEPS


def apply(config: ApplyConfig, folder: Path, root: Path) -> Iterator[Event]:
    """Map each ground of a configuration into the run folder, below `maps/`.

    Yields:
        The extractions' events where stores are made first, steps, MapTileDone, ApplyDone.

    Raises:
        JobError: the decoder is no finished training.
        StoreError: a store is not what the decoder learned to read; told before anything is made, where it is there.
    """
    began = time.monotonic()
    run = TrainRun.open(resolve_path(config.decoder))
    class_style(run.decoder.taught)
    for ground in config.ground:
        if isinstance(ground, str):
            run.decoder.require_fit(EmbeddingStore.open(resolve_path(ground)))
    hectares: Counter[str] = Counter()
    made = []
    for number, ground in enumerate(config.ground):
        store = yield from _store_of(ground, root)
        facts = yield from map_store(run, store, folder / "maps" / str(number), root)
        hectares.update(facts.hectares_above(facts.style.default_threshold))
        made.append(f"maps/{number}")
    yield ApplyDone(
        made, {name: round(area, 2) for name, area in hectares.items()}, round(time.monotonic() - began, 3)
    )


def map_store(
    run: TrainRun, store: EmbeddingStore, folder: Path, root: Path
) -> Generator[Event, None, MapFacts]:
    """Map one store into a folder: probability.tif, then map.json.

    Raises:
        StoreError: the store is not what the decoder learned to read.
    """
    run.decoder.require_fit(store)
    make_folder(folder)
    has_data, gaps = pixels_with_data(store, root)
    notes = tuple(note for note in (gaps, note_of(run, store)) if note)
    yield from map(Noticed, notes)
    task, path = run.decoder.taught, folder / PROBABILITY
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".pieces-", dir=folder) as held:
        kept: list[tuple[StoredTile, Path]] = []
        for found in tile_outputs(run, store):
            tile = found.span.tile
            piece = class_and_step(found, task)
            known = None if has_data is None else has_data(tile)
            if known is not None:
                piece = np.where(known, piece, NODATA).astype(np.uint8)
            kept.append((tile, Path(held) / f"{len(kept)}.npy"))
            np.save(kept[-1][1], piece)
            yield MapTileDone(len(kept), len(store.tiles), time.monotonic() - began)
        yield StepStarted("Writing the map")
        pieces = ((tile, np.load(at)) for tile, at in kept)
        tags = store_tags(store, run.decoder.layers[0]) | {"EMBERSCOPE_STEPS": str(STEPS)}
        write_mosaic(path, pieces, level="pixel", nodata=NODATA, dtype="uint8", tags=tags, band_names=BANDS)
    facts = facts_of(store, run.decoder, run.folder, path, notes)
    write_facts(folder, facts)
    return facts


@torch.no_grad()
def class_and_step(found: TileOutputs, task: Task) -> np.ndarray:
    """Value of the class and step of its probability of each pixel of a tile, (2, height_px, width_px) uint8.

    Of two classes the second is always meant; of more the most likely one.
    """
    edges = torch.arange(1, STEPS, dtype=torch.float64) / STEPS
    outputs = found.outputs.double()
    values = torch.tensor([one.value for one in task.classes], dtype=torch.uint8)
    if len(task.classes) == 2:
        steps = torch.bucketize(outputs, torch.logit(edges))
        chosen = torch.full_like(steps, int(values[1]), dtype=torch.uint8)
    else:
        likely, index = outputs.unflatten(-1, (-1, len(task.classes))).softmax(dim=-1).max(dim=-1)
        steps, chosen = torch.bucketize(likely, edges), values[index]
    is_valid = found.is_valid[:, None]
    return np.stack([
        to_pixels(np.where(is_valid, band.numpy(), NODATA).astype(np.uint8), found.span.tile) for band in (chosen, steps)
    ])  # fmt: skip


def _store_of(ground: str | ExtractConfig, root: Path) -> Generator[Event, None, EmbeddingStore]:
    """The store of a ground, made first where it is not there."""
    if isinstance(ground, ExtractConfig):
        if ground.granularity != "patch":
            raise StoreError(
                "A map needs a row a patch, and the ground has granularity: tile. Set granularity: patch."
            )
        yield from ensure_store(ground, root)
        return EmbeddingStore.open(store_folder(ground, root))
    yield StepStarted("Opening the store")
    return EmbeddingStore.open(resolve_path(ground))
