"""JOB 3: a trained decoder maps ground, place by place: embeddings where they are missing, probability, class."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch

from engine.extraction.extract import ensure_store, store_folder
from engine.extraction.pixels.pixel_gaps import pixels_with_data
from engine.files import make_folder
from engine.jobs.configuration.apply import Adapt
from engine.jobs.configuration.config import ApplyConfig, ExtractConfig
from engine.jobs.events import ApplyDone, Event, MapTileDone, Noticed, StepStarted
from engine.labels.build import PixelsWithData
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.adaptation import note_of_adaptation, settled
from engine.learning.maps.alike import DISAGREEMENT, disagreement_ramp, require_alike
from engine.learning.maps.dates import dates_of
from engine.learning.maps.ensemble import ensemble_outputs
from engine.learning.maps.facts import (
    PROBABILITY,
    VALUES,
    MapFacts,
    facts_of,
    map_tags,
    mapped_classes,
    write_facts,
)
from engine.learning.maps.numbers import summary_of
from engine.learning.maps.predict import (
    TileOutputs,
    classes_of,
    note_of,
    spread_on_tile,
    tile_outputs,
    write_map,
)
from engine.learning.tasks.task import Task
from engine.paths import resolve_path
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.maps.overlay import write_mosaic
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
    runs = [TrainRun.open(resolve_path(one)) for one in (config.decoder, *config.ensemble)]
    task = runs[0].decoder.taught
    require_alike(runs)
    for ground in config.ground:
        if isinstance(ground, str):
            runs[0].decoder.require_fit(EmbeddingStore.open(resolve_path(ground)))
    hectares: Counter[str] = Counter()
    made: list[str] = []
    for number, ground in enumerate(config.ground):
        store = yield from _store_of(ground, task, root)
        title = next(iter(config.titles[number : number + 1]), "")
        for (date, only), of_class in product(dates_of(store).items(), mapped_classes(task)):
            place = f"maps/{len(made)}"
            facts = yield from map_store(
                runs, store, folder / place, root, date, only, title, config.adapt, of_class
            )
            hectares.update(facts.usual_hectares)
            made.append(place)
    yield ApplyDone(
        made, {name: round(area, 2) for name, area in hectares.items()}, round(time.monotonic() - began, 3)
    )


def map_store(
    runs: Sequence[TrainRun], store: EmbeddingStore, folder: Path, root: Path, date: str = "",
    only: Collection[str] | None = None, title: str = "", adapt: Adapt = "none", of_class: int | None = None,
) -> Generator[Event, None, MapFacts]:  # fmt: skip
    """Map one store into a folder: probability.tif or values.tif, disagreement.tif of several decoders, then map.json.

    Args:
        runs: one decoder, or several whose probabilities are averaged.
        date: of the tiles in `only`, for the map's title; empty where the store has one date of each ground.
        only: ids of the tiles; None: all.
        title: of the ground; empty: after its files.
        adapt: whether the decoders are adapted to the mapped tiles.
        of_class: value of the class that is mapped, where a tile may have several; see `facts.mapped_classes`.

    Raises:
        StoreError: the store is not what a decoder learned to read.
    """
    for run in runs:
        run.decoder.require_fit(store)
    asked, adapt = adapt, settled(adapt, [run.decoder for run in runs], store, only)
    make_folder(folder)
    task = runs[0].decoder.taught
    has_data, gaps = (None, "") if task.is_per_tile else pixels_with_data(store, root)
    told = (gaps, *(note_of(run, store) for run in runs), note_of_adaptation(adapt, asked))
    notes = tuple(dict.fromkeys(note for note in told if note))
    yield from map(Noticed, notes)
    with tempfile.TemporaryDirectory(prefix=".pieces-", dir=folder) as held:
        kept = yield from _keep_pieces(runs, store, Path(held), has_data, only, adapt, of_class)
        yield StepStarted("Writing the map")
        _write_maps(runs, store, folder, kept, adapt)
    numbers = None if task.classes else summary_of(folder / VALUES)
    facts = facts_of(
        store, [run.decoder for run in runs], [run.folder for run in runs], folder, notes, date, only, title, adapt,
        of_class, numbers,
    )  # fmt: skip
    write_facts(folder, facts)
    return facts


def _keep_pieces(
    runs: Sequence[TrainRun], store: EmbeddingStore, held: Path, has_data: PixelsWithData | None,
    only: Collection[str] | None, adapt: Adapt, of_class: int | None,
) -> Generator[Event, None, list[tuple[StoredTile, Path]]]:  # fmt: skip
    """Class and step of each tile, or its numbers, in a file, and the disagreement of several decoders in one beside it."""
    kept: list[tuple[StoredTile, Path]] = []
    task, began = runs[0].decoder.taught, time.monotonic()
    number = len(store.tiles) if only is None else len(only)
    for found, disagreement in _outputs(runs, store, only, adapt):
        tile = found.span.tile
        piece = class_and_step(found, task, of_class) if task.classes else classes_of(found, task)[None]
        nothing = NODATA if task.classes else np.float32("nan")
        known = None if has_data is None else has_data(tile)
        if known is not None:
            piece = np.where(known, piece, nothing).astype(piece.dtype)
        kept.append((tile, held / f"{len(kept)}.npy"))
        np.save(kept[-1][1], piece)
        if disagreement is not None:
            is_gap = piece[1] == NODATA if task.classes else np.isnan(piece[0])
            column = [one.value for one in task.classes].index(of_class) if of_class is not None else None
            asked = disagreement if column is None else disagreement[:, column : column + 1]
            std = np.where(is_gap, np.float32("nan"), spread_on_tile(asked, tile, task.is_per_tile))
            np.save(kept[-1][1].with_suffix(".std.npy"), std)
        yield MapTileDone(len(kept), number, time.monotonic() - began)
    return kept


def _outputs(
    runs: Sequence[TrainRun], store: EmbeddingStore, only: Collection[str] | None, adapt: Adapt
) -> Iterator[tuple[TileOutputs, np.ndarray | None]]:
    """What one decoder says of each tile, or what several say together and how far they disagree."""
    if len(runs) == 1:
        yield from ((found, None) for found in tile_outputs(runs[0], store, only, adapt))
    else:
        yield from ((one.found, one.disagreement) for one in ensemble_outputs(runs, store, only, adapt))


def _write_maps(
    runs: Sequence[TrainRun],
    store: EmbeddingStore,
    folder: Path,
    kept: Sequence[tuple[StoredTile, Path]],
    adapt: Adapt,
) -> None:
    own = map_tags(store, [run.decoder for run in runs], adapt)
    pieces = ((tile, np.load(at)) for tile, at in kept)
    task = runs[0].decoder.taught
    if not task.classes:
        write_map(folder / VALUES, ((tile, own[0]) for tile, own in pieces), task, task.prediction_style, own)
    else:
        tags = own | {"EMBERSCOPE_STEPS": str(STEPS)}
        write_mosaic(
            folder / PROBABILITY,
            pieces,
            level="pixel",
            nodata=NODATA,
            dtype="uint8",
            tags=tags,
            band_names=BANDS,
        )
    if len(runs) > 1:
        pieces = ((tile, np.load(at.with_suffix(".std.npy"))) for tile, at in kept)
        tags = own | {"EMBERSCOPE_QUANTITY": disagreement_ramp(task).title}
        write_mosaic(
            folder / DISAGREEMENT, pieces, level="pixel", nodata=float("nan"), dtype="float32", tags=tags,
            band_names=("disagreement",),
        )  # fmt: skip


@torch.no_grad()
def class_and_step(found: TileOutputs, task: Task, of_class: int | None = None) -> np.ndarray:
    """Value of the class and step of its probability of each pixel of a tile, (2, height_px, width_px) uint8.

    Of two classes the second is always meant, of more the most likely one; of several that a tile may have, `of_class`.
    """
    edges = torch.arange(1, STEPS, dtype=torch.float64) / STEPS
    outputs = found.outputs.double()
    values = torch.tensor([one.value for one in task.classes], dtype=torch.uint8)
    if task.link == "logit":
        meant = 1 if of_class is None else values.tolist().index(of_class)
        asked = outputs if of_class is None else outputs[:, meant : meant + 1]
        steps = torch.bucketize(asked, torch.logit(edges))
        chosen = torch.full_like(steps, int(values[meant]), dtype=torch.uint8)
    else:
        likely, index = outputs.unflatten(-1, (-1, len(task.classes))).softmax(dim=-1).max(dim=-1)
        steps, chosen = torch.bucketize(likely, edges), values[index]
    is_valid = found.is_valid[:, None]
    return np.stack([
        spread_on_tile(np.where(is_valid, band.numpy(), NODATA).astype(np.uint8), found.span.tile, task.is_per_tile)
        for band in (chosen, steps)
    ])  # fmt: skip


def _store_of(ground: str | ExtractConfig, task: Task, root: Path) -> Generator[Event, None, EmbeddingStore]:
    """The store of a ground, made first where it is not there."""
    if isinstance(ground, ExtractConfig):
        task.require_rows(ground.granularity)
        yield from ensure_store(ground, root)
        return EmbeddingStore.open(store_folder(ground, root))
    yield StepStarted("Opening the store")
    return EmbeddingStore.open(resolve_path(ground))
