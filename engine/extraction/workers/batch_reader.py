"""Batches of tiles with their pixels, read by threads before the encoder asks for them."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from engine.backbones.core.batch import Batch
from engine.backbones.core.device import Device
from engine.concurrency.ordered_map import ordered_map
from engine.extraction.encode import batch_of
from engine.extraction.pixels.tile_reader import TileRead, read_ahead, read_tile
from engine.extraction.plan import Plan
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.remote.remote_file import is_remote
from engine.imagery.tiles.windows import PlannedTile

ReadBatch = tuple[list[TileRead], Batch | None]
"""Where the tiles of a batch were valid, and their pixels; None where none has any."""

# Two cores are busy with the encoder: one thread reads fast enough. A GPU waits for many.
_MOST_READERS_GPU = 32
# A thread reads so many tiles of a batch, which lie side by side and share blocks of the file. On an H100 with one thread
# for each batch of 64 tiles, a run reached 0.035 of the bare forward pass of Prithvi 300M.
_TILES_A_READ = 4
# Threads that read over the network, where each waits most of the time.
_READERS_REMOTE = 8
# Threads that put what was read into one array, in memory from which a GPU fetches by itself.
_JOINERS = 2


def read_batches(batches: Sequence[list[PlannedTile]], plan: Plan, device: Device) -> Generator[ReadBatch]:
    """All batches in order, read ahead as far as the device needs."""
    is_cuda = device.name.startswith("cuda")
    if any(is_remote(path) for scene in plan.scenes_used for path in scene.paths):
        return read_in_pieces(batches, plan, _READERS_REMOTE, is_pinned=is_cuda)
    if not is_cuda:
        return _read_whole(batches, plan)
    readers = min(_MOST_READERS_GPU, os.cpu_count() or 1)
    return read_in_pieces(batches, plan, readers, is_pinned=True)


def _read_whole(batches: Sequence[list[PlannedTile]], plan: Plan) -> Generator[ReadBatch]:
    """Batches that one thread reads."""

    def read(batch: list[PlannedTile], rasters: OpenRasters) -> ReadBatch:
        return _joined([read_tile(item, plan, rasters) for item in batch], plan, is_pinned=False)

    return read_ahead(batches, read, readers=1)


def read_in_pieces(
    batches: Sequence[list[PlannedTile]], plan: Plan, readers: int, *, is_pinned: bool
) -> Generator[ReadBatch]:
    """Batches whose tiles several threads read side by side.

    Args:
        readers: threads; each holds a few tiles that wait for the rest of their batch.
        is_pinned: put pixels where a CUDA device fetches them by itself.
    """
    step = _TILES_A_READ
    pieces = [batch[start : start + step] for batch in batches for start in range(0, len(batch), step)]

    def read(piece: list[PlannedTile], rasters: OpenRasters) -> list[TileRead]:
        return [read_tile(item, plan, rasters) for item in piece]

    def join(reads: list[TileRead]) -> ReadBatch:
        return _joined(reads, plan, is_pinned=is_pinned)

    with closing(read_ahead(pieces, read, readers)) as reads:
        whole = _together(reads, [len(batch) for batch in batches])
        with closing(ordered_map(whole, join, _JOINERS, "joiner")) as joined:
            yield from joined


def _together(pieces: Iterator[list[TileRead]], sizes: Sequence[int]) -> Iterator[list[TileRead]]:
    """The pieces of a batch as one list, batch by batch."""
    for size in sizes:
        reads: list[TileRead] = []
        while len(reads) < size:
            reads += next(pieces)
        yield reads


def _joined(reads: list[TileRead], plan: Plan, *, is_pinned: bool) -> ReadBatch:
    """The batch holds the pixels; what follows needs only where they were valid."""
    return [replace(item, chip=None) for item in reads], batch_of(reads, plan, is_pinned=is_pinned)
