"""Mean and covariance of the embeddings that a view shows, over a whole store with one part in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import StoreError
from engine.views.layer_view import LayerView

# Rows of one step: 8192 float32 rows of 1024 numbers are 32 MB. Products of a block are summed in float32, twice as
# fast as in float64, and blocks in float64.
_BLOCK_ROWS = 8192


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
    rows = 0
    shift = total = product = np.zeros(0)
    for block in _blocks(view):
        if not rows:
            shift = block.mean(axis=0, dtype=np.float64).astype(np.float32)
            total, product = np.zeros(len(shift)), np.zeros((len(shift), len(shift)))
        centred = np.subtract(block, shift, out=block)
        rows += len(block)
        total += centred.sum(axis=0, dtype=np.float64)
        if not np.isfinite(total).all():
            raise StoreError(
                f"{view.store.folder} holds embeddings that are not finite. Run `python -m engine check` on it, or "
                f"extract again with output.dtype: float32."
            )
        product += centred.T @ centred
    if rows < 2:
        raise StoreError(
            f"{view.store.folder} has {rows} patches with valid pixels; a PCA needs two or more. "
            f"Extract a larger region."
        )
    covariance = (product - np.outer(total, total) / rows) / (rows - 1)
    return Moments(rows, shift + total / rows, covariance)


def _blocks(view: LayerView) -> Iterator[np.ndarray]:
    """(n, D) float32 rows that fits are made on, gathered from the tiles into blocks."""
    waiting: list[np.ndarray] = []
    for rows in view.tiles_to_fit():
        waiting.append(rows)
        if sum(map(len, waiting)) >= _BLOCK_ROWS:
            yield np.concatenate(waiting).astype(np.float32)
            waiting = []
    if sum(map(len, waiting)):
        yield np.concatenate(waiting).astype(np.float32)
