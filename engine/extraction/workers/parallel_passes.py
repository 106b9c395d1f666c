"""Forward passes side by side: on a CPU each core has its own batch, a GPU has the next one begun before it waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import torch

from engine.backbones.core.batch import Backbone, Batch
from engine.backbones.core.device import Device, OnDevice

R = TypeVar("R")
W = TypeVar("W")
# Batches in work at once on a CPU; each has as many threads as then come to it. Threads of one batch wait for one
# another at every operation, also for those that something else keeps off their core: on two cores, two batches of
# one thread each ran three times as fast as one batch of two threads while the machine was busy otherwise.
_MOST_LANES = 4


def lanes_of(device: Device) -> int:
    """Batches that are in work at once."""
    return min(_MOST_LANES, torch.get_num_threads()) if device.name == "cpu" else 1


def in_lanes(
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
    if device.name != "cpu":
        yield from _one_ahead(batches, begin)
        return
    lanes, threads = lanes_of(device), torch.get_num_threads()
    waiting: deque[tuple[R, Future[list[W]] | None]] = deque()
    pool = ThreadPoolExecutor(
        lanes,
        thread_name_prefix="lane",
        initializer=torch.set_num_threads,
        initargs=(max(1, threads // lanes),),
    )
    is_over = False
    with closing(batches):
        try:
            for belongs, batch in batches:
                waiting.append((belongs, None if batch is None else pool.submit(begin, batch)))
                if len(waiting) > lanes:
                    yield _taken(waiting)
            while waiting:
                yield _taken(waiting)
            is_over = True
        finally:
            if not is_over and isinstance(backbone, OnDevice):
                backbone.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            torch.set_num_threads(threads)  # threads that come later start from what was set last


def _taken(waiting: deque[tuple[R, Future[list[W]] | None]]) -> tuple[R, list[W]]:
    belongs, begun = waiting.popleft()
    return belongs, [] if begun is None else begun.result()


def _one_ahead(
    batches: Generator[tuple[R, Batch | None]], begin: Callable[[Batch], list[W]]
) -> Generator[tuple[R, list[W]]]:
    """A batch is handed on when the next one has been begun: the device always has something to do."""
    before: tuple[R, list[W]] | None = None
    with closing(batches):
        for belongs, batch in batches:
            begun = [] if batch is None else begin(batch)
            if before is not None:
                yield before
            before = belongs, begun
        if before is not None:
            yield before
