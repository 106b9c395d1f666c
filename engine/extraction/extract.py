"""JOB 1: pixels through a frozen backbone into an embedding store."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.backbones.core.batch import Backbone, Batch
from engine.backbones.core.device import Device, choose, describe
from engine.errors import SceneError
from engine.extraction.blending import Blending
from engine.extraction.encode import Waiting, batch_of, begin, open_backbone, rows_of
from engine.extraction.plan import Plan, make_plan
from engine.extraction.store_layout import store_meta
from engine.extraction.tile_reader import TileRead, batches_of, read_ahead, read_tile
from engine.extraction.weights_download import fetch_weights
from engine.extraction.workers.background_writer import Behind
from engine.extraction.workers.parallel_passes import in_lanes, lanes_of
from engine.extraction.workers.protocol import Encoded, Workers
from engine.imagery.rasters import OpenRasters
from engine.imagery.tiles.windows import PlannedTile
from engine.jobs import folder as run_folder
from engine.jobs.config import ExtractConfig
from engine.jobs.events import Event, ExtractDone, ExtractPlanned, Noticed, StepStarted, TileDone, TileSkipped
from engine.jobs.record import recorded, working_alone
from engine.store.store import FINISHED, EmbeddingStore
from engine.store.writer import StoreWriter
from engine.views.seams import seam_score

# Pixels in work at once when the configuration leaves the batch open: 4 or 64 tiles of 224 px. A small encoder takes
# twice as many on a CPU (a tiny Prithvi ran 0.81 of its bare forward with 4, 0.85 with 8); a larger one was no faster
# with them and left a core idle for longer at the end. A GPU without room for so many halves them.
_PASS_PIXELS_CPU, _PASS_PIXELS_GPU = 4 * 224**2, 64 * 224**2
_SMALL_PARAMETERS = 20e6
# Two cores are busy with the encoder: one thread reads fast enough. A GPU waits for several.
_READERS_CPU, _MOST_READERS_GPU = 1, 8
# Batches that wait to be written; each holds the embeddings of its tiles.
_WAITING_BATCHES = 2


def extract(config: ExtractConfig, folder: Path, root: Path) -> Iterator[Event]:
    """Fill an embedding store in a run folder; an unfinished one is continued.

    Threads read tiles ahead of the encoder, and one writes behind it; whatever ends the loop ends them too.

    Args:
        folder: the run folder; the store appears in it as `store` when it is whole.
        root: where the simulated season is kept.

    Yields:
        Steps, ExtractPlanned, TileDone or TileSkipped for each tile, ExtractDone.

    Raises:
        BadInput: a configuration, region, scene, backbone or unfinished store that cannot be used.
        DiskFull: no room; what was written is kept for a resume.
    """
    yield from (StepStarted(step) for step in config.scene.prepare(root))
    yield StepStarted("Planning tiles")
    plan = make_plan(config, root)
    yield from (Noticed(note) for note in plan.notes)
    yield from fetch_weights(config, plan)
    yield StepStarted(f"Loading {plan.spec.title}")
    with _workers(config, plan) as workers:
        if workers.weights_sha256 == "random":
            yield Noticed("Random weights, as asked: these embeddings show an untrained encoder.")
        writer = StoreWriter(folder, store_meta(config, plan, workers.weights_sha256))
        yield ExtractPlanned(len(plan.tiles), plan.patches, len(writer.kept), plan.spec.name,
                             workers.weights_sha256, workers.title, round(plan.seen_megapixels, 3))  # fmt: skip
        began = time.monotonic()
        yield from _fill(writer, workers, plan, config)
    store = EmbeddingStore.open(writer.finish())
    seam = seam_score(store) if config.granularity == "patch" else None
    yield ExtractDone(len(store.tiles), store.rows, sum(store.meta.dims), round(time.monotonic() - began, 3),
                      str(store.folder), seam if seam is None else round(seam, 4))  # fmt: skip


def _fill(writer: StoreWriter, workers: Workers, plan: Plan, config: ExtractConfig) -> Iterator[Event]:
    """Read, encode and write the tiles that the store has not got yet."""
    kept = {tile.id for tile in writer.kept}
    began, done, patches = time.monotonic(), len(kept), sum(tile.rows for tile in writer.kept)

    blending = Blending(plan, kept) if config.tiles.merge == "blend" else None

    def write(encoded: Encoded) -> None:
        for rows in encoded[1]() if blending is None else blending.tiles_of(*encoded):
            if rows.tile.id not in kept:
                writer.append(rows)

    # A batch that is kept in part is encoded again as a whole, so that its rows are the same.
    wanted = blending.needed if blending else {item.tile.id for item in plan.tiles} - kept
    batches = batches_of(plan.tiles, workers.batch_tiles)
    todo = [batch for batch in batches if any(item.tile.id in wanted for item in batch)]
    all_encoded = workers.encoded(todo)
    with closing(writer), Behind(write, _WAITING_BATCHES) as behind, closing(all_encoded):
        for encoded in all_encoded:
            behind.put(encoded)
            for read in encoded[0]:
                tile_id = read.planned.tile.id
                if tile_id in kept:
                    continue
                done += 1
                if read.share is None:
                    yield TileSkipped(tile_id, read.reason)
                    continue
                patches += read.share.size if config.granularity == "patch" else 1
                yield TileDone(done, len(plan.tiles), patches, time.monotonic() - began, tile_id)
    if not patches:
        raise SceneError(
            "valid pixels were wanted, found only gaps on every tile. Choose another region or scene."
        )


@contextmanager
def _workers(config: ExtractConfig, plan: Plan) -> Iterator[Workers]:
    """Threads of this process, or a cluster's."""
    if config.engine == "ray":
        from engine.extraction.workers import ray_cluster
        from engine.extraction.workers import ray_workers as on_ray

        with ray_cluster.cluster() as there:
            pixels = _PASS_PIXELS_GPU if ray_cluster.uses_gpu(there, config.device) else _PASS_PIXELS_CPU
            yield on_ray.workers(there, plan, config, _tiles_of(plan, config, pixels))
        return
    device = choose(config.device)
    backbone = open_backbone(config, plan, device)
    yield Workers(
        backbone.weights_sha256,
        describe(device),
        batch_tiles(plan, config, device),
        lambda batches: _encoded(batches, backbone, plan, config, device),
    )


def _encoded(
    batches: Sequence[list[PlannedTile]],
    backbone: Backbone,
    plan: Plan,
    config: ExtractConfig,
    device: Device,
) -> Generator[Encoded]:
    """Batches with the passes that were begun on them."""
    at_once = batch_tiles(plan, config, device, plan.shifts**2)

    def forward(batch: Batch) -> list[Waiting]:
        return begin(backbone, plan, batch, at_once)

    with closing(in_lanes(_read(batches, plan, config, device), forward, backbone, device)) as passes:
        for reads, begun in passes:
            yield reads, partial(rows_of, begun, reads, plan, config)


def _read(
    batches: Sequence[list[PlannedTile]], plan: Plan, config: ExtractConfig, device: Device
) -> Generator[tuple[list[TileRead], Batch | None]]:
    """Batches read ahead."""
    is_cuda = device.name.startswith("cuda")

    def read(batch: list[PlannedTile], rasters: OpenRasters) -> tuple[list[TileRead], Batch | None]:
        reads = [read_tile(item, plan, config, rasters) for item in batch]
        # the batch holds the pixels; what follows needs only where they were valid
        return [replace(item, chip=None) for item in reads], batch_of(reads, plan, is_pinned=is_cuda)

    readers = min(_MOST_READERS_GPU, os.cpu_count() or 1) if is_cuda else _READERS_CPU
    return read_ahead(batches, read, readers)


def batch_tiles(plan: Plan, config: ExtractConfig, device: Device, passes: int = 1) -> int:
    """Tiles of a batch: as asked, or so many pixels; all shifted passes of a tile count, but for `passes` of them."""
    lanes = lanes_of(device)
    on_cpu = _PASS_PIXELS_CPU * (2 if plan.spec.parameters < _SMALL_PARAMETERS else 1) // lanes
    pixels = on_cpu if device.name == "cpu" else _PASS_PIXELS_GPU
    return _tiles_of(plan, config, pixels * passes)


def _tiles_of(plan: Plan, config: ExtractConfig, pixels: int) -> int:
    if config.batch_size is not None:
        return config.batch_size
    window = plan.tiles[0].window
    return max(1, pixels // (window.height * window.width * plan.frames * plan.shifts**2))


def ensure_store(config: ExtractConfig, root: Path) -> Iterator[Event]:
    """Extract into the folder that belongs to the configuration, unless its store is there already.

    A job that makes the same store is waited for.
    """
    folder = run_folder.settled_folder(config, root)

    def once_alone() -> Iterator[Event]:
        if (folder / FINISHED).is_dir():
            yield Noticed(f"The embeddings are there already: {folder.name}.")
            return
        run_folder.create(folder, config)
        yield from recorded(folder, extract(config, folder, root))

    yield from working_alone(folder, once_alone)


def store_folder(config: ExtractConfig, root: Path) -> Path:
    """Where `ensure_store` leaves the store of a configuration."""
    return run_folder.settled_folder(config, root) / FINISHED
