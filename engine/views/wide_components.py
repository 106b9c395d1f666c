"""Leading components of embeddings of very many numbers, without their covariance.

The covariance of embeddings of 6,144 numbers has 38 million; to decompose it takes minutes. Of few rows, the products of the
rows with one another have the same components; of many, a few products of the rows with a narrow matrix find them: block
Krylov iteration (Musco and Musco 2015, "Randomized block Krylov methods for stronger and faster approximate singular value
decomposition", algorithm 2), begun again until the first components stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import StoreError
from engine.views.layer_view import LayerView

# Up to so many numbers a covariance is decomposed in two seconds, and all of it is exact.
WIDE = 2048
# Float32 numbers that are held at once, 400 MB: of a larger store so many evenly spread rows are looked at.
_MOST_NUMBERS = 100_000_000
# Up to so many rows their products with one another are decomposed: in about two seconds, exactly.
_FEW_ROWS = 2048
_BLOCKS, _MORE, _ROUNDS = 3, 8, 6
# A component stays when what is left of its product with the covariance is less than this share of the largest variance.
_STAYS = 1e-5
# Components of which this is asked: those that are drawn, and those that others are turned onto.
_ASKED = 16


@dataclass(frozen=True)
class WideComponents:
    """The leading components.

    Attributes:
        rows: that were looked at.
        mean: (D,) float64.
        variances: (k,) float64, falling.
        directions: (k, D) float64, of length one; zeros where there are fewer rows.
        total: variance of all numbers together.
    """

    rows: int
    mean: np.ndarray
    variances: np.ndarray
    directions: np.ndarray
    total: float


def wide_components(view: LayerView, count: int) -> WideComponents:
    """The first components of a view's rows, all of them where they fit into memory.

    Args:
        count: of components.

    Raises:
        StoreError: fewer than two rows, or embeddings that are not finite.
    """
    rows, mean = _centred(view)
    squares = float(sum(np.dot(row, row) for row in rows))
    variances, directions = np.zeros(count), np.zeros((count, rows.shape[1]))
    found = _of_few(rows, count) if len(rows) <= _FEW_ROWS else _of_many(rows, count)
    variances[: len(found[0])] = found[0] / (len(rows) - 1)
    directions[: len(found[1])] = found[1]
    return WideComponents(len(rows), mean, variances, directions, squares / (len(rows) - 1))


def _centred(view: LayerView) -> tuple[np.ndarray, np.ndarray]:
    """(n, D) float32 rows about their mean, and the mean (D,) float64."""
    dim = view.store.meta.dims[view.store.meta.layers.index(view.layer)]
    step = -(-int(view.fitted[0].sum()) * dim // _MOST_NUMBERS)
    taken, first = [], 0
    for rows in view.tiles_to_fit():
        taken.append(rows[-first % step :: step].astype(np.float32))
        first += len(rows)
    found = np.concatenate(taken)
    if len(found) < 2:
        raise StoreError(
            f"{view.store.folder} has {first} patches with valid pixels; a PCA needs two or more. Extract a larger region."
        )
    mean = found.mean(axis=0, dtype=np.float64)
    if not np.isfinite(mean).all():
        raise StoreError(
            f"{view.store.folder} holds embeddings that are not finite. Run `python -m engine check` on it, or extract again "
            f"with output.dtype: float32."
        )
    found -= mean.astype(np.float32)
    return found, mean


def _of_few(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(k,) squared singular values and (k, D) right singular vectors of rows."""
    squares, weights = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    squares, weights = squares[::-1][:count], weights[:, ::-1][:, :count]
    directions = weights.T.astype(np.float32) @ rows
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.clip(squares, 0, None), directions.astype(np.float64) / np.where(lengths > 0, lengths, 1)


def _of_many(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The same by block Krylov iteration."""
    drawn = np.random.default_rng(0).standard_normal((rows.shape[1], count + _MORE), np.float32)
    block, _ = np.linalg.qr(rows.T @ (rows @ drawn))
    for _ in range(_ROUNDS):
        blocks = [block]
        for _ in range(_BLOCKS - 1):
            blocks.append(np.linalg.qr(rows.T @ (rows @ blocks[-1]))[0])
        basis, _ = np.linalg.qr(np.concatenate(blocks, axis=1))
        seen = rows @ basis  # (n, blocks * k)
        squares, turn = np.linalg.eigh((seen.T @ seen).astype(np.float64))
        order = np.argsort(squares)[::-1][: count + _MORE]
        squares, turn = squares[order], turn[:, order].astype(np.float32)
        block = basis @ turn
        asked = min(_ASKED, count)
        left = rows.T @ (seen @ turn[:, :asked]) - block[:, :asked] * squares[:asked].astype(np.float32)
        if np.linalg.norm(left, axis=0).max() <= _STAYS * squares[0]:
            break
    return np.clip(squares[:count], 0, None), block.T[:count].astype(np.float64)
