"""Readers and encoders as threads of this process."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial

from engine.backbones.core.batch import Backbone, Batch
from engine.backbones.core.device import Device, choose, describe
from engine.extraction.batches import batch_pixels
from engine.extraction.encode import Waiting, begin, open_backbone, rows_of
from engine.extraction.plan import Plan
from engine.extraction.workers.batch_reader import read_batches
from engine.extraction.workers.parallel_passes import parallel_passes
from engine.extraction.workers.protocol import Encoded, Workers
from engine.imagery.tiles.windows import PlannedTile


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

    with closing(parallel_passes(read_batches(batches, plan, device), forward, backbone, device)) as passes:
        for reads, begun in passes:
            yield reads, partial(rows_of, begun, reads, plan)
