"""An extraction over a Ray cluster: readers and encoders are actors of Ray Data, the one writer stays with the job.

Ray Data schedules, retries and restarts; nothing here does. Every machine sees the scenes at the same paths.
"""

from __future__ import annotations

import dataclasses
import logging
import pickle
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import rasterio

from engine.backbones.weights import locate as weights
from engine.errors import EngineError, RunFailure
from engine.extraction.batches import PASS_PIXELS_CPU, PASS_PIXELS_GPU
from engine.extraction.pixels.tile_reader import CACHE_BYTES, TileRead, read_tile
from engine.extraction.plan import Plan
from engine.extraction.workers.protocol import Encoded, Workers
from engine.extraction.workers.ray_cluster import Cluster, load_ray, uses_gpu
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.tiles.windows import PlannedTile
from engine.store.schema import TileRows

# As many as keep up with a GPU that embeds small chips.
_READERS_A_GPU = 8
# On CPUs several encoders of few threads embed more than one of many; each holds the weights once more.
_ENCODERS_A_NODE = 4

Row = dict[str, Any]


@dataclass(frozen=True)
class _Share:
    """How many actors of a kind there are, and what each of them works with.

    What an actor has in hand when its machine is lost waits for it to start again, and all rows behind wait too. Of
    cores only half is asked for, so that it finds room beside the others at once; and the number is fixed, for on a
    busy machine Ray Data ended actors that were still starting, again and again, when it was free to choose. Halves of
    GPUs would meet on one, so those are asked for whole, and Ray Data may end an idle actor to make room.
    """

    actors: int
    cpus: int = 0
    gpus: int = 0

    @property
    def options(self) -> dict[str, Any]:
        """As Ray Data takes them."""
        pool = load_ray().data.ActorPoolStrategy
        if self.gpus:
            free = pool(min_size=1, max_size=self.actors, initial_size=self.actors)
            return {"compute": free, "num_cpus": self.cpus, "num_gpus": self.gpus}
        return {
            "compute": pool(size=self.actors),
            "num_cpus": self.cpus / 2
            if self.cpus < 2
            else self.cpus // 2,  # Ray takes parts of the first only
        }

    def at_most(self, count: int) -> _Share:
        """The same with no more actors than this."""
        return dataclasses.replace(self, actors=min(self.actors, count))


def cluster_workers(there: Cluster, plan: Plan) -> Workers:
    """The cluster's readers and encoders."""
    pixels = PASS_PIXELS_GPU if uses_gpu(there, plan.device) else PASS_PIXELS_CPU
    return Workers(
        weights.identity(plan.spec, plan.weights),
        there.title,
        pixels,
        lambda batches: _encoded(batches, plan, there),
    )


def _encoded(batches: Sequence[list[PlannedTile]], plan: Plan, there: Cluster) -> Generator[Encoded]:
    """Batches read and encoded by the cluster, each once and in the order given.

    What a machine had done when it went is done again by those that are left.

    Raises:
        EngineError: as reading and encoding in one process would.
        RunFailure: machines that compute in different precisions.
    """
    if not batches:
        return
    ray = load_ray()
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    given = (dataclasses.replace(plan, tiles=plan.tiles[:1]),)  # a batch brings its tiles itself
    items = [{"number": number, "tiles": pickle.dumps(batch)} for number, batch in enumerate(batches)]
    readers, encoders = _shares(there, plan.device, len(batches))
    rows = (
        ray.data.from_items(items, override_num_blocks=len(items))
        .map(_Reader, fn_constructor_args=given, **readers.options)
        .map(_Encoder, fn_constructor_args=(*given, encoders.cpus), **encoders.options)
    )
    ways: set[str] = set()
    with closing(iter(rows.iter_rows())) as found:
        for number, row in enumerate(found):
            if row["error"]:
                raise _unpacked(row["error"])
            assert row["number"] == number, "Ray Data keeps the order"
            ways.add(row["way"])
            if len(ways) > 1:
                raise RunFailure(
                    f"The machines of the cluster compute in {' and '.join(sorted(ways))}: rows would not be "
                    f"alike. Use machines of one kind, or set device: cpu."
                )
            reads, made = _unpacked(row["encoded"])
            yield reads, partial(_given, made)


class _Reader:
    """Reads the tiles of a batch; keeps its rasters open from one batch to the next."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._rasters = plan, OpenRasters()

    def __call__(self, row: Row) -> Row:
        try:
            tiles: list[PlannedTile] = _unpacked(row["tiles"])
            with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
                reads = [read_tile(item, self._plan, self._rasters) for item in tiles]
        except EngineError as err:
            return {"number": row["number"], "reads": b"", "error": pickle.dumps(err)}
        return {"number": row["number"], "reads": pickle.dumps(reads), "error": b""}


class _Encoder:
    """Encodes a batch that was read; opens the backbone with the first.

    Args:
        threads: of a CPU; 0: those that torch finds.
    """

    def __init__(self, plan: Plan, threads: int) -> None:
        self._plan, self._threads = plan, threads
        self._opened: tuple[Any, str] | None = None

    def __call__(self, row: Row) -> Row:
        done = {"number": row["number"], "encoded": b"", "way": "", "error": row["error"]}
        if row["error"]:
            return done
        try:
            reads, way = self._encode(_unpacked(row["reads"]))
        except EngineError as err:
            return done | {"error": pickle.dumps(err)}
        return done | {"encoded": pickle.dumps(reads), "way": way}

    def _encode(self, reads: list[TileRead]) -> tuple[tuple[list[TileRead], list[TileRows]], str]:
        import torch

        from engine.backbones.core.device import choose
        from engine.extraction.encode import encode, open_backbone

        if self._opened is None:
            if self._threads:
                torch.set_num_threads(self._threads)
            device = choose(self._plan.device)
            self._opened = open_backbone(self._plan, device), str(device.precision)
        backbone, way = self._opened
        rows = encode(backbone, self._plan, reads)
        return ([dataclasses.replace(read, chip=None) for read in reads], rows), way


def _shares(there: Cluster, device: str, batches: int) -> tuple[_Share, _Share]:
    """Readers and encoders: never more than batches.

    The two hold different things, so that after a machine is lost neither waits for what the other has: encoders GPUs
    and readers cores; where there are no GPUs, encoders cores, and readers nothing.
    """
    if uses_gpu(there, device):
        encoders = _Share(there.gpus, gpus=1)
        readers = _Share(min(there.cpus, there.gpus * _READERS_A_GPU), cpus=1)
    else:
        threads = max(1, there.least_cpus // _ENCODERS_A_NODE)
        encoders = _Share(
            max(1, sum(min(_ENCODERS_A_NODE, cpus // threads) for cpus, _ in there.nodes)), cpus=threads
        )
        readers = _Share(encoders.actors)
    return readers.at_most(batches), encoders.at_most(batches)


def _given(rows: list[TileRows]) -> list[TileRows]:
    return rows


def _unpacked(packed: bytes) -> Any:
    return pickle.loads(packed)  # noqa: S301 - what the other actor of this very run packed
