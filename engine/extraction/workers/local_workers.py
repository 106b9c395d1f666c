"""Readers and encoders as threads of this process."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from engine.backbones.core.batch import Backbone, Batch
from engine.backbones.core.device import Device, choose, describe
from engine.extraction.batches import batch_pixels
from engine.extraction.encode import Waiting, batch_of, begin, open_backbone, rows_of
from engine.extraction.pixels.tile_reader import TileRead, read_ahead, read_tile
from engine.extraction.plan import Plan
from engine.extraction.workers.parallel_passes import parallel_passes
from engine.extraction.workers.protocol import Encoded, Workers
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.tiles.windows import PlannedTile

# Two cores are busy with the encoder: one thread reads fast enough. A GPU waits for several.
_READERS_CPU, _MOST_READERS_GPU = 1, 8


def local_workers(plan: Plan) -> Workers:
    """Threads of this process, with the backbone on the device asked for.

    Raises:
        WeightsError: weights that are absent, altered or of another model.
        BackboneError: a device that is not here.
    """
    device = choose(plan.device)
    backbone = open_backbone(plan, device)
    return Workers(
        backbone.weights_sha256,
        describe(device),
        batch_pixels(plan, device),
        lambda batches: _encoded(batches, backbone, plan, device),
    )


def _encoded(
    batches: Sequence[list[PlannedTile]], backbone: Backbone, plan: Plan, device: Device
) -> Generator[Encoded]:
    """Batches with the passes that were begun on them."""
    pixels = batch_pixels(plan, device)

    def forward(batch: Batch) -> list[Waiting]:
        return begin(backbone, plan, batch, pixels)

    with closing(parallel_passes(_read(batches, plan, device), forward, backbone, device)) as passes:
        for reads, begun in passes:
            yield reads, partial(rows_of, begun, reads, plan)


def _read(
    batches: Sequence[list[PlannedTile]], plan: Plan, device: Device
) -> Generator[tuple[list[TileRead], Batch | None]]:
    """Batches read ahead of the encoder."""
    is_cuda = device.name.startswith("cuda")

    def read(batch: list[PlannedTile], rasters: OpenRasters) -> tuple[list[TileRead], Batch | None]:
        reads = [read_tile(item, plan, rasters) for item in batch]
        # the batch holds the pixels; what follows needs only where they were valid
        return [replace(item, chip=None) for item in reads], batch_of(reads, plan, is_pinned=is_cuda)

    readers = min(_MOST_READERS_GPU, os.cpu_count() or 1) if is_cuda else _READERS_CPU
    return read_ahead(batches, read, readers)
