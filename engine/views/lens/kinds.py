"""The lenses of the pages: components, similarity, clusters, distance from the usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.errors import StoreError
from engine.views.clusters import Clusters
from engine.views.lens.lens import Lens, no_palette, ramp
from engine.views.pca import Pca

# A component with less than this share of the variance of the first is rounding: whitening would show it as large.
_LEAST_SHARE = 1e-6
# Lengths of whitened embeddings: the 98th percentile of chi with k degrees of freedom is about sqrt(k) + 1.45.
_ABOVE_ROOT = 1.45


def components_lens(basis: Pca, which: Sequence[int], deviations: np.ndarray | None = None) -> Lens:
    """Three components as red, green and blue, or one on a ramp.

    Args:
        which: three components or one, counted from 0.
        deviations: (k,) standard deviation of each component: all are stretched over two to both sides (whitening);
            None: each from its 2nd to its 98th percentile.

    Raises:
        StoreError: another number of components, or one that the store does not have.
    """
    if len(which) not in (1, 3) or not all(0 <= one < len(basis.components) for one in which):
        asked = ", ".join(str(one + 1) for one in which)
        raise StoreError(
            f"Components {asked} were asked for. Choose one or three from 1 to {len(basis.components)}."
        )
    chosen = list(which)
    low, high = basis.low[chosen], basis.high[chosen]
    if deviations is not None:
        reach = 2.0 * deviations[chosen]
        low, high = -reach, reach
    return Lens(
        "rgb" if len(chosen) == 3 else "ramp", basis.components[chosen], basis.mean, np.zeros(len(chosen)), low, high,
        no_palette() if len(chosen) == 3 else ramp(), names=tuple(f"PC {one + 1}" for one in chosen),
    )  # fmt: skip


def similarity_lens(
    mean: np.ndarray, positive: np.ndarray, negative: np.ndarray | None = None, threshold: float | None = None
) -> Lens:
    """Cosine with some patches against others.

    The direction is the mean of the unit vectors of the first less that of the second, and is of length one.

    Args:
        mean: (D,) that embeddings are centred on.
        positive, negative: (n, D) embeddings.

    Raises:
        StoreError: no patch to be similar to, or patches that are the mean itself or cancel out.
    """
    if not len(positive):
        raise StoreError("There is no patch to be similar to. Choose one on the map.")
    direction = _mean_unit(positive - mean)
    if negative is not None and len(negative):
        direction = direction - _mean_unit(negative - mean)
    length = np.linalg.norm(direction)
    if not length > 0:
        raise StoreError(
            "The chosen patches do not differ from the mean of all, and nothing is similar to them."
        )
    zero, one = np.zeros(1), np.ones(1)
    return Lens(
        "ramp", (direction / length)[None], mean, zero, zero, one, ramp(), is_unit=True, threshold=threshold,
        names=("similarity",),
    )  # fmt: skip


def clusters_lens(clusters: Clusters, names: Mapping[int, str] | None = None) -> Lens:
    """The nearest centre of clusters: -|x - c|^2 / 2 is linear in x but for what all centres share."""
    count = len(clusters.centres)
    colours = np.array([clusters.colours[number] for number in range(count)], np.uint8)
    none = np.zeros(1)
    return Lens(
        "classes", clusters.centres / clusters.scale, clusters.mean, -(clusters.centres**2).sum(axis=1) / 2, none, none,
        colours, names=tuple((names or {}).get(number, f"cluster {number + 1}") for number in range(count)),
    )  # fmt: skip


def anomaly_lens(
    basis: Pca,
    deviations: np.ndarray,
    threshold: float | None = None,
    low_high: tuple[float, float] | None = None,
) -> Lens:
    """Distance from the mean, each component counted in its own standard deviations (Mahalanobis, on these components).

    Args:
        deviations: (k,) standard deviation of each component.
        low_high: distances of the first and the last colour; None: 0, and what few normally distributed ones exceed.
    """
    kept = deviations > np.sqrt(_LEAST_SHARE) * deviations[0]
    rows = basis.components[kept] / deviations[kept, None]
    low, high = low_high or (0.0, float(np.sqrt(len(rows))) + _ABOVE_ROOT)
    return Lens(
        "norm", rows, basis.mean, np.zeros(len(rows)), np.array([low]), np.array([high]), ramp(), threshold=threshold, names=("distance",)
    )  # fmt: skip


def linear_lens(weights: np.ndarray, bias: np.ndarray, palette: np.ndarray, names: Sequence[str]) -> Lens:
    """The class with the largest score of a linear classifier.

    Args:
        weights: (C, D); bias: (C,); palette: (C, 4) uint8.
    """
    none = np.zeros(1)
    return Lens("classes", weights, np.zeros(weights.shape[1]), bias, none, none, palette, names=tuple(names))


def _mean_unit(centred: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return (centred / np.where(lengths > 0, lengths, 1)).mean(axis=0)
