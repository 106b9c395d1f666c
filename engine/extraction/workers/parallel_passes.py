"""Forward passes side by side: on a CPU each has its own cores, a GPU has the next one begun before it waits."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

import torch

from engine.backbones.core.batch import Backbone, Batch
from engine.backbones.core.device import Device, OnDevice
from engine.concurrency.ordered_map import one_ahead, ordered_map
from engine.extraction.batches import passes_at_once

R = TypeVar("R")
W = TypeVar("W")


def parallel_passes(
    batches: Generator[tuple[R, Batch | None]],
    begin: Callable[[Batch], list[W]],
    backbone: Backbone,
    device: Device,
) -> Generator[tuple[R, list[W]]]:
    """What `begin` makes of each batch, in order; an empty list where there is no batch.

    Leaving early ends the passes under way at their next block.

    Args:
        batches: what belongs to a batch, and the batch; closed in the end.
    """

    def work(item: tuple[R, Batch | None]) -> tuple[R, list[W]]:
        belongs, batch = item
        return belongs, [] if batch is None else begin(batch)

    with closing(batches):
        if device.name == "cpu":
            yield from _on_cores(batches, work, backbone, device)
        else:  # a device is handed work without waiting for it: begun one ahead, it never idles
            yield from one_ahead(map(work, batches))


def _on_cores(
    batches: Generator[tuple[R, Batch | None]],
    work: Callable[[tuple[R, Batch | None]], tuple[R, list[W]]],
    backbone: Backbone,
    device: Device,
) -> Generator[tuple[R, list[W]]]:
    passes, threads = passes_at_once(device), torch.get_num_threads()
    share = max(1, threads // passes)
    results = ordered_map(batches, work, passes, "pass", lambda: torch.set_num_threads(share))
    is_over = False
    try:
        yield from results
        is_over = True
    finally:
        if not is_over and isinstance(backbone, OnDevice):
            backbone.stop()
        results.close()
        torch.set_num_threads(threads)  # threads that come later start from what was set last
