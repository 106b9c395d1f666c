"""Colours that mean the same in several stores: the components of one turned onto those of another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.errors import StoreError
from engine.views.pca import Pca

# Components that are turned: what is the second of one may be the fifth of the other.
COMPONENTS = 16
_SHOWN = 3
# Black and full colour of both are where they are for the ground that both have.
_STRETCH_PERCENT = (2.0, 98.0)


@dataclass(frozen=True)
class AlignedColours:
    """The components of one view turned onto those of another.

    Attributes:
        pca: three directions in the view's own embeddings, stretched so that the same ground has the same colours.
        correlations: (3,) of each turned component with the one that it was turned onto, on the shared ground: 1 where
            colours mean the same, 0 where they mean nothing in common.
    """

    pca: Pca
    correlations: tuple[float, ...]


def rotation_onto(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(k, k) orthogonal matrix R that brings (n, k) values @ R nearest to (n, k) reference, both about their means.

    Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem": U V' of the singular value
    decomposition of values' reference.
    """
    x, y = (each.astype(np.float64) - each.mean(axis=0, dtype=np.float64) for each in (values, reference))
    left, _, right = np.linalg.svd(x.T @ y)
    return left @ right


def aligned(own: Pca, values: np.ndarray, reference: Pca, reference_values: np.ndarray) -> AlignedColours:
    """Turn the components of a view onto those of another.

    Args:
        own, reference: components of both, as many of each as may take part.
        values, reference_values: (n, D) and (n, E) embeddings of both on the same patches.

    Raises:
        StoreError: fewer than three components.
    """
    count = min(len(own.components), len(reference.components))
    if count < _SHOWN:
        raise StoreError(
            f"The embeddings have {count} components in common; red, green and blue need three. Choose other layers."
        )
    x = _projected(own, values)[:, :count]
    y = _projected(reference, reference_values)[:, :count]
    turn = rotation_onto(x, y)[:, :_SHOWN]  # (k, 3)
    turned, target = x @ turn, y[:, :_SHOWN]
    shares = (turn**2 * own.explained_variance_ratio[:count, None]).sum(axis=0)
    low, high = _stretch_like(turned, target, reference)
    pca = replace(
        own, components=turn.T @ own.components[:count], explained_variance_ratio=shares, low=low, high=high
    )
    return AlignedColours(pca, tuple(_correlation(turned[:, one], target[:, one]) for one in range(_SHOWN)))


def first_three(reference: Pca) -> Pca:
    """The components that others are turned onto, as colours."""
    return replace(
        reference, components=reference.components[:_SHOWN], low=reference.low[:_SHOWN], high=reference.high[:_SHOWN],
        explained_variance_ratio=reference.explained_variance_ratio[:_SHOWN],
    )  # fmt: skip


def _projected(pca: Pca, values: np.ndarray) -> np.ndarray:
    return (values.astype(np.float64) - pca.mean) @ pca.components.T


def _stretch_like(turned: np.ndarray, target: np.ndarray, reference: Pca) -> tuple[np.ndarray, np.ndarray]:
    """Low and high of turned components, which lie to their percentiles as the reference's lie to its own."""
    own_low, own_high = np.percentile(turned, _STRETCH_PERCENT, axis=0)
    low, high = np.percentile(target, _STRETCH_PERCENT, axis=0)
    span = high - low
    scale = (own_high - own_low) / np.where(span > 0, span, 1.0)
    return (
        own_low + (reference.low[:_SHOWN] - low) * scale,
        own_low + (reference.high[:_SHOWN] - low) * scale,
    )


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's; 0 where one of the two does not vary."""
    x, y = first - first.mean(), second - second.mean()
    lengths = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / lengths if lengths > 0 else 0.0
