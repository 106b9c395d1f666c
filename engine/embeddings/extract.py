"""JOB 1: pixels through a frozen backbone into an embedding store."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from engine.backbones.device import choose, describe
from engine.embeddings.encode import encode_chips, open_backbone, rows_of
from engine.embeddings.plan import Plan, folded_dim, make_plan, season_folder, store_meta, stored_tile
from engine.embeddings.store import FINISHED, EmbeddingStore
from engine.embeddings.writer import StoreWriter
from engine.errors import SceneError
from engine.imagery.chip import Chip, read_chip
from engine.imagery.tiling import PlannedTile
from engine.jobs import folder as run_folder
from engine.jobs.config import ExtractConfig, SimulatedScene
from engine.jobs.events import Event, ExtractDone, ExtractPlanned, Noticed, StepStarted, TileDone, TileSkipped
from engine.jobs.record import recorded

# Chips read before the encoder asks for them: enough to hide the disk, little enough to stay flat in memory.
_READ_AHEAD_BATCHES = 2
_READERS = 2
# Chips of one forward pass when the configuration leaves it open; out of memory halves it.
_BATCH_CPU, _BATCH_GPU = 8, 64


@dataclass(frozen=True)
class _Read:
    """A tile and its pixels, or the reason why it has none."""

    planned: PlannedTile
    chip: Chip | None
    reason: str = ""


def extract(config: ExtractConfig, folder: Path, root: Path) -> Iterator[Event]:
    """Fill an embedding store in a run folder; an unfinished one is continued.

    Args:
        folder: the run folder; the store appears in it as `store` when it is whole.
        root: where the simulated season is kept.

    Yields:
        Steps, ExtractPlanned, TileDone or TileSkipped for each tile, ExtractDone.

    Raises:
        BadInput: a configuration, region, scene, backbone or unfinished store that cannot be used.
        DiskFull: no room; what was written is kept for a resume.
    """
    yield from _prepare_season(config, root)
    yield StepStarted("Planning tiles")
    plan = make_plan(config, root)
    yield StepStarted(f"Loading {plan.spec.title}")
    device = choose(config.device)
    backbone = open_backbone(config, plan, device)
    if backbone.weights_sha256 == "random":
        yield Noticed("Random weights, as asked: these embeddings show an untrained encoder.")
    writer = StoreWriter(folder, store_meta(config, plan, backbone.weights_sha256, _dims(config, plan)))
    kept = {tile.id for tile in writer.kept}
    todo = [item for item in plan.tiles if item.tile.id not in kept]
    yield ExtractPlanned(len(plan.tiles), plan.patches, len(kept), plan.spec.name, backbone.weights_sha256,
                         describe(device))  # fmt: skip
    began, patches, done = time.monotonic(), sum(tile.rows for tile in writer.kept), len(kept)
    for batch in _read_batches(todo, plan, config, _batch_size(config, device.name)):
        embedded = encode_chips(backbone, plan, [read.chip for read in batch if read.chip is not None])
        for read in batch:
            done += 1
            if read.chip is None:
                yield TileSkipped(read.planned.tile.id, read.reason)
                continue
            tile = stored_tile(read.planned, plan.patch_px, config.granularity == "tile")
            rows = rows_of(tile, next(embedded), read.chip, plan, config)
            writer.append(rows)
            patches += tile.rows
            yield TileDone(done, len(plan.tiles), patches, time.monotonic() - began, tile.id)
    if not patches:
        raise SceneError(
            "valid pixels were wanted, found only gaps on every tile. Choose another region or scene."
        )
    store = writer.finish()
    tiles = len(EmbeddingStore.open(store).tiles)
    yield ExtractDone(tiles, patches, sum(writer.meta.dims), round(time.monotonic() - began, 3), str(store))


def ensure_store(config: ExtractConfig, root: Path) -> Iterator[Event]:
    """Extract into the folder that belongs to the configuration, unless its store is there already."""
    folder = run_folder.settled_folder(config, root)
    if (folder / FINISHED).is_dir():
        yield Noticed(f"The embeddings are there already: {folder.name}.")
        return
    run_folder.create(folder, config)
    yield from recorded(folder, extract(config, folder, root))


def store_folder(config: ExtractConfig, root: Path) -> Path:
    """Where `ensure_store` leaves the store of a configuration."""
    return run_folder.settled_folder(config, root) / FINISHED


def _prepare_season(config: ExtractConfig, root: Path) -> Iterator[Event]:
    if isinstance(config.scene, SimulatedScene) and not season_folder(config.scene.seed, root).is_dir():
        yield StepStarted("Simulating the fire season (once for each seed)")


def _dims(config: ExtractConfig, plan: Plan) -> tuple[int, ...]:
    is_joined = config.backbone.temporal in ("mean", "max", "difference") and plan.spec.max_frames == 1
    dates = 1 if is_joined else plan.frames
    if config.granularity == "tile":
        return tuple(plan.spec.layer_dim(layer) * dates for layer in plan.layers)
    return tuple(folded_dim(plan.spec, layer, plan.patch_px) * dates for layer in plan.layers)


def _batch_size(config: ExtractConfig, device: str) -> int:
    return config.batch_size or (_BATCH_GPU if device.startswith("cuda") else _BATCH_CPU)


def _read_batches(
    tiles: Sequence[PlannedTile], plan: Plan, config: ExtractConfig, size: int
) -> Iterator[list[_Read]]:
    """Batches of tiles of one shape, in the planned order, read ahead of the encoder."""
    batches = [
        same[start : start + size]
        for _, group in groupby(tiles, key=lambda item: (item.tile.height, item.tile.width, len(item.scenes)))
        for same in [list(group)]
        for start in range(0, len(same), size)
    ]
    with ThreadPoolExecutor(_READERS, thread_name_prefix="reader") as pool:
        ahead: list[list[Future[_Read]]] = []
        try:
            for batch in batches:
                ahead.append([pool.submit(_read, item, plan, config) for item in batch])
                if len(ahead) > _READ_AHEAD_BATCHES:
                    yield [future.result() for future in ahead.pop(0)]
            while ahead:
                yield [future.result() for future in ahead.pop(0)]
        finally:
            for future in (future for batch_ahead in ahead for future in batch_ahead):
                future.cancel()


def _read(planned: PlannedTile, plan: Plan, config: ExtractConfig) -> _Read:
    try:
        chip = read_chip(planned.scenes, planned.tile, plan.bands)
    except SceneError as err:
        if config.tiles.unreadable == "fail":
            raise
        return _Read(planned, None, str(err))
    if not np.any(chip.valid):
        return _Read(planned, None, "no valid pixel")
    return _Read(planned, chip)
