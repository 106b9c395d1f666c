"""Which tiles are encoded together: batches of one shape, as large as a device likes them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import torch

from engine.backbones.core.device import Device
from engine.extraction.plan import Plan
from engine.extraction.tile_cut import batch_key
from engine.imagery.tiles.windows import PlannedTile

# Pixels in work at once when the configuration leaves the batch open: 4 or 64 tiles of 224 px. A small encoder takes
# twice as many on a CPU (a tiny Prithvi ran 0.81 of its bare forward with 4, 0.85 with 8); a larger one was no faster
# with them and left a core idle for longer at the end. A GPU without room for so many halves them.
PASS_PIXELS_CPU, PASS_PIXELS_GPU = 4 * 224**2, 64 * 224**2
_SMALL_PARAMETERS = 20e6
# Batches in work at once on a CPU; each has as many threads as then come to it. Threads of one batch wait for one
# another at every operation, also for those that something else keeps off their core: on two cores, two batches of
# one thread each ran three times as fast as one batch of two threads while the machine was busy otherwise.
_MOST_PASSES = 4


def passes_at_once(device: Device) -> int:
    """Forward passes that run side by side on a device, each with a batch of its own."""
    return min(_MOST_PASSES, torch.get_num_threads()) if device.name == "cpu" else 1


def batch_pixels(plan: Plan, device: Device) -> int:
    """Pixels of a batch on a device."""
    if device.name != "cpu":
        return PASS_PIXELS_GPU
    factor = 2 if plan.spec.parameters < _SMALL_PARAMETERS else 1
    return PASS_PIXELS_CPU * factor // passes_at_once(device)


def tiles_a_batch(plan: Plan, item: PlannedTile, pixels: int) -> int:
    """Tiles like this one that make a batch: as asked, or so many pixels with all dates and shifted passes counted."""
    if plan.batch_size is not None:
        return plan.batch_size
    window = item.window
    return max(1, pixels // (window.height * window.width * len(item.scenes) * plan.shifts**2))


def batches_of(plan: Plan, pixels: int) -> list[list[PlannedTile]]:
    """All windows of a plan in batches of one shape and ground sampling distance, in the planned order."""
    return list(_batches_of(plan, pixels))


def _batches_of(plan: Plan, pixels: int) -> Iterator[list[PlannedTile]]:
    for _, group in groupby(plan.windows, key=batch_key):
        same = list(group)
        size = tiles_a_batch(plan, same[0], pixels)
        yield from (same[start : start + size] for start in range(0, len(same), size))
