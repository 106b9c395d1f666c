"""Mean and covariance of the embeddings that a view shows, over a whole store with one part in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from queue import SimpleQueue

import numpy as np

from engine.concurrency.blas_threads import one_blas_thread
from engine.concurrency.ordered_map import ordered_map
from engine.errors import StoreError
from engine.views.layer_view import LayerView

# Rows of one step: 8192 float32 rows of 1024 numbers are 32 MB. Products of a block are summed in float32, twice as
# fast as in float64, and blocks in float64.
_BLOCK_ROWS = 8192
# Blocks in work at once: turning float16 into float32 takes a fifth of the products' time, and runs on one core.
_THREADS = 2


@dataclass(frozen=True)
class Moments:
    """Moments of the rows that fits are made on.

    Attributes:
        mean: (D,) float64.
        covariance: (D, D) float64, with n - 1 in the denominator.
    """

    rows: int
    mean: np.ndarray
    covariance: np.ndarray


def moments(view: LayerView) -> Moments:
    """The moments of a view, summed about the first block's mean, which keeps the sums small.

    Raises:
        StoreError: fewer than two rows, or embeddings that are not finite.
    """
    blocks = _blocks(view)
    first = next(blocks, None)
    if first is None:
        raise _too_few(view, 0)
    shift = first.mean(axis=0, dtype=np.float64).astype(np.float32)
    rows, total, product = 0, np.zeros(len(shift)), np.zeros((len(shift), len(shift)))
    rooms = SimpleQueue[np.ndarray]()
    for _ in range(_THREADS):
        rooms.put(np.empty((0, len(shift)), np.float32))
    sums = ordered_map(chain([first], blocks), lambda block: _sums(block, shift, rooms), _THREADS, "moments")
    with one_blas_thread():
        for count, own_total, own_product in sums:
            if not np.isfinite(own_total).all():
                sums.close()
                raise StoreError(
                    f"{view.store.folder} holds embeddings that are not finite. Run `python -m engine check` on it, or "
                    f"extract again with output.dtype: float32."
                )
            rows, total = rows + count, total + own_total
            product += own_product
    if rows < 2:
        raise _too_few(view, rows)
    covariance = (product - np.outer(total, total) / rows) / (rows - 1)
    return Moments(rows, shift + total / rows, covariance)


def _sums(
    block: np.ndarray, shift: np.ndarray, rooms: SimpleQueue[np.ndarray]
) -> tuple[int, np.ndarray, np.ndarray]:
    """Rows, sum (D,) float64 and sum of products (D, D) float32 of a block about a shift.

    Args:
        rooms: arrays that centred blocks are written into, one a thread: the pages of a new array of 25 MB take the
            system eight times as long as the numbers in it.
    """
    room = rooms.get()
    try:
        if len(room) < len(block):
            room = np.empty((len(block), len(shift)), np.float32)
        with np.errstate(invalid="ignore"):  # what is not finite is told by the sum
            centred = np.subtract(block, shift, out=room[: len(block)], casting="same_kind")
            return len(block), centred.sum(axis=0, dtype=np.float64), centred.T @ centred
    finally:
        rooms.put(room)


def _too_few(view: LayerView, rows: int) -> StoreError:
    return StoreError(
        f"{view.store.folder} has {rows} patches with valid pixels; a PCA needs two or more. Extract a larger region."
    )


def _blocks(view: LayerView) -> Iterator[np.ndarray]:
    """(n, D) rows that fits are made on, gathered from the tiles into blocks."""
    waiting: list[np.ndarray] = []
    for rows in view.tiles_to_fit():
        waiting.append(rows)
        if sum(map(len, waiting)) >= _BLOCK_ROWS:
            yield np.concatenate(waiting)
            waiting = []
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)
