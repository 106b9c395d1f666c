"""JOB 1: pixels through a frozen backbone into an embedding store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from engine.backbones.families import family_of
from engine.concurrency.background_writer import BackgroundWriter
from engine.errors import SceneError
from engine.extraction.batches import batches_of
from engine.extraction.blending import Blending
from engine.extraction.plan import Plan, make_plan
from engine.extraction.step_words import IMPORTING, PLANNING
from engine.extraction.store_layout import store_meta
from engine.extraction.weights.drawn_weights import with_drawn_weights
from engine.extraction.weights.weights_download import fetch_weights
from engine.extraction.workers.local_workers import local_workers
from engine.extraction.workers.protocol import Encoded, Workers
from engine.imagery.plausibility import look_at
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig
from engine.jobs.events import (
    Event,
    ExtractDone,
    ExtractPlanned,
    Noticed,
    StepStarted,
    TileDone,
    TileSkipped,
)
from engine.jobs.record import recorded, working_alone
from engine.store.catalogues.job import embeddings_job
from engine.store.importing.job import is_import
from engine.store.store import FINISHED, EmbeddingStore
from engine.store.writer import StoreWriter
from engine.views.health.seams import layer_seams

# Batches that are written or wait for it; each holds the embeddings of its tiles.
_BATCHES_IN_HAND = 3


def extract(config: ExtractConfig, folder: Path, root: Path) -> Iterator[Event]:
    """Fill an embedding store in a run folder; an unfinished one is continued.

    Threads read tiles ahead of the encoder, and another one writes; whatever ends the loop ends them too.

    Args:
        folder: the run folder; the store appears in it as `store` when it is whole.
        root: where the simulated season is kept.

    Yields:
        Steps, ExtractPlanned, TileDone or TileSkipped for each tile, ExtractDone.

    Raises:
        BadInput: a configuration, region, scene, backbone or unfinished store that cannot be used.
        DiskFull: no room; what was written stays for a resume.
    """
    yield from (StepStarted(step) for step in config.scene.prepare(root))
    yield StepStarted(PLANNING)
    plan = make_plan(config, root)
    yield from (Noticed(note) for note in plan.notes)
    yield from (Noticed(note) for note in look_at(plan.scenes_used, plan.bands))
    yield from fetch_weights(plan)
    plan = yield from with_drawn_weights(plan, folder)
    yield StepStarted(f"{IMPORTING} what {plan.spec.title} needs")
    family_of(plan.spec).adapter()
    yield StepStarted(f"Loading {plan.spec.title}")
    with _workers(plan) as workers, closing(_writer(plan, workers, folder)) as writer:
        yield from _announced(plan, workers, len(writer.written))
        began = time.monotonic()
        yield from _fill(writer, workers, plan)
        yield StepStarted("Closing the store")
        finished = writer.finish()
    seconds = time.monotonic() - began
    yield StepStarted("Measuring seams between tiles")
    yield _done(EmbeddingStore.open(finished), seconds)


def _writer(plan: Plan, workers: Workers, folder: Path) -> StoreWriter:
    return StoreWriter(folder, store_meta(plan, workers.weights_sha256))


def _announced(plan: Plan, workers: Workers, resumed_tiles: int) -> Iterator[Event]:
    """What the run will do, and that its weights are random where they are."""
    if workers.weights_sha256 == "random":
        yield Noticed("Random weights, as asked: these embeddings show an untrained encoder.")
    yield ExtractPlanned(len(plan.tiles), plan.patches, resumed_tiles, plan.spec.name, workers.weights_sha256,
                         workers.title, round(plan.seen_megapixels, 3))  # fmt: skip


def _fill(writer: StoreWriter, workers: Workers, plan: Plan) -> Iterator[Event]:
    """Read, encode and write the tiles that the store does not have yet."""
    stored = {tile.id for tile in writer.written}
    missing = {item.tile.id for item in plan.tiles} - stored
    began, done, patches = time.monotonic(), len(stored), sum(tile.rows for tile in writer.written)
    blending = Blending(plan, stored) if plan.is_blended else None

    def write(encoded: Encoded) -> None:
        for rows in encoded[1]() if blending is None else blending.tiles_of(*encoded):
            if rows.tile.id in missing:
                writer.append(rows)

    # A batch that is stored in part is encoded again as a whole, so that its rows are the same.
    wanted = blending.needed if blending else missing
    batches = batches_of(plan, workers.batch_pixels)
    todo = [batch for batch in batches if any(item.tile.id in wanted for item in batch)]
    all_encoded = workers.encoded(todo)
    yield StepStarted("Encoding the first tiles")
    with BackgroundWriter(write, _BATCHES_IN_HAND) as background, closing(all_encoded):
        for encoded in all_encoded:
            background.put(encoded)
            for read in encoded[0]:
                tile_id = read.planned.tile.id
                if tile_id not in missing:
                    continue
                done += 1
                if read.share is None:
                    yield TileSkipped(tile_id, read.reason)
                    continue
                patches += 1 if plan.has_row_a_tile else read.share.size
                yield TileDone(done, len(plan.tiles), patches, time.monotonic() - began, tile_id)
        yield StepStarted("Writing the last tiles")
    if not patches:
        raise SceneError("The tiles hold only gaps and no valid pixel. Choose another region or scene.")


def _done(store: EmbeddingStore, seconds: float) -> ExtractDone:
    """What the store holds, and how much embeddings jump from tile to tile."""
    seams = layer_seams(store)
    largest = max((seam for seam in seams.values() if seam is not None), default=None)
    return ExtractDone(len(store.tiles), store.rows, sum(store.meta.dims), round(seconds, 3), str(store.folder),
                       largest, seams)  # fmt: skip


@contextmanager
def _workers(plan: Plan) -> Iterator[Workers]:
    """Threads of this process, or a cluster's."""
    if plan.engine == "local":
        yield local_workers(plan)
        return
    from engine.extraction.workers import ray_cluster, ray_workers

    with ray_cluster.cluster() as there:
        yield ray_workers.cluster_workers(there, plan)


def ensure_store(config: ExtractConfig, root: Path) -> Iterator[Event]:
    """Make the store of a configuration in the folder that belongs to the configuration, unless its store is there already.

    A job that makes the same store is waited for.
    """
    folder = run_folder.settled_folder(config, root)

    def once_alone() -> Iterator[Event]:
        if (folder / FINISHED).is_dir():
            yield Noticed(f"The embeddings are there already: {folder.name}.")
            return
        run_folder.create(folder, config)
        work = embeddings_job(config, folder) if is_import(config) else extract(config, folder, root)
        yield from recorded(folder, work)

    yield from working_alone(folder, once_alone)


def store_folder(config: ExtractConfig, root: Path) -> Path:
    """Where `ensure_store` leaves the store of a configuration."""
    return run_folder.settled_folder(config, root) / FINISHED
