"""How alike two sets of embeddings of the same patches are, whatever the axes they are written in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import StoreError

# Patches whose neighbours are looked for, and neighbours of each.
MOST_NEIGHBOURS_OF = 2_000
NEIGHBOURS = 10


@dataclass(frozen=True)
class NeighbourOverlap:
    """How many nearest patches two views agree on.

    Attributes:
        share: of the nearest patches that both name, 0 to 1.
        by_chance: what two unrelated views would have.
        neighbours: that were looked for of each patch.
    """

    share: float
    by_chance: float
    neighbours: int


def linear_cka(first: np.ndarray, second: np.ndarray) -> float:
    """Linear centred kernel alignment of (n, D) and (n, E): 0 for unrelated, 1 for the same up to rotation and scale.

    Kornblith et al. 2019, "Similarity of Neural Network Representations Revisited", equation 3, by features: with fewer
    than about twice as many rows as numbers, unrelated ones have more than 0.

    Raises:
        StoreError: one of the two is the same everywhere.
    """
    x, y = _centred(first), _centred(second)
    own = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(np.linalg.norm(y.T @ x) ** 2 / own)


def neighbour_overlap(
    first: np.ndarray, second: np.ndarray, neighbours: int = NEIGHBOURS, most: int = MOST_NEIGHBOURS_OF
) -> NeighbourOverlap:
    """Share of the nearest patches, by the cosine about the mean, that two views have in common.

    Args:
        first, second: (n, D) and (n, E) of the same patches.
        neighbours: of each patch; fewer where there are fewer patches.
        most: patches whose neighbours are looked for, evenly chosen; neighbours are looked for among all.

    Raises:
        StoreError: one of the two is the same everywhere.
    """
    count = min(neighbours, len(first) - 1)
    asked = np.unique(np.linspace(0, len(first) - 1, min(most, len(first))).astype(int))
    near = [_nearest(unit_about_mean(values), asked, count) for values in (first, second)]
    common = [len(np.intersect1d(one, other)) for one, other in zip(near[0], near[1], strict=True)]
    return NeighbourOverlap(float(np.mean(common) / count), count / (len(first) - 1), count)


def unit_about_mean(values: np.ndarray) -> np.ndarray:
    """(n, D) float32 rows about their mean, of length one, so that products are cosines; zero stays zero.

    Raises:
        StoreError: nothing varies.
    """
    centred = _centred(values).astype(np.float32)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.where(lengths > 0, lengths, 1)


def _nearest(unit: np.ndarray, asked: np.ndarray, count: int) -> np.ndarray:
    """(len(asked), count) the nearest other rows of some rows, in no order."""
    found = []
    for rows in np.array_split(asked, -(-len(asked) // 256)):
        likeness = unit[rows] @ unit.T
        likeness[np.arange(len(rows)), rows] = -np.inf
        found.append(np.argpartition(-likeness, count - 1, axis=1)[:, :count])
    return np.concatenate(found)


def _centred(values: np.ndarray) -> np.ndarray:
    """Float64 about the mean.

    Raises:
        StoreError: nothing varies.
    """
    wide = values.astype(np.float64)
    mean = wide.mean(axis=0)
    wide -= mean
    # Float32 numbers that are the same differ from their mean by rounding only.
    if np.linalg.norm(wide) <= 1e-6 * np.sqrt(len(wide)) * max(
        float(np.linalg.norm(mean)), np.finfo(np.float64).tiny
    ):
        raise StoreError(
            "A store has the same embedding everywhere on the shared ground, and is like nothing. Choose ground of more than "
            "one kind, or check the backbone."
        )
    return wide
