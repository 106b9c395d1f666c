"""The health card of a store: numbers that say whether its embeddings tell of the ground, each with a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import StoreError
from engine.store.store import EmbeddingStore
from engine.views.health.border import border_share
from engine.views.health.seams import seam_score
from engine.views.layer_view import LayerView, view_of
from engine.views.moments import moments
from engine.views.pca import fit
from engine.views.position import position_share

# A channel whose variance is below this share of the mean variance of all does not vary.
_DEAD = 1e-6
# A channel with so many times the median variance holds most of any distance by itself.
_DOMINATING = 100.0


@dataclass(frozen=True)
class LayerHealth:
    """The numbers of one layer; None where a store cannot tell.

    Attributes:
        layer: as counted by the backbone.
        dim: numbers of an embedding.
        position_share: of the variance that the place in the window explains, 0 to 1.
        seam_score: mean step across the borders of tiles over that inside them.
        border_share: share of the variance of the first three components owed to the outermost patches over their
            share of the patches.
        effective_rank: directions that the variance is spread over, 1 to D: the exponential of the entropy of the
            covariance's eigenvalues (Roy and Vetterli 2007, "The effective rank").
        dead_channels: numbers of an embedding that do not vary.
        dominating_channels: numbers with more than 100 times the median variance.
        norm_median: median length of an embedding.
        norm_spread: 95th percentile of the lengths over their 5th.
    """

    layer: int
    dim: int
    position_share: float | None
    seam_score: float | None
    border_share: float | None
    effective_rank: float
    dead_channels: int
    dominating_channels: int
    norm_median: float
    norm_spread: float | None


def health(store: EmbeddingStore) -> list[LayerHealth]:
    """Measure every layer of a store; each is read several times, one part in memory.

    Raises:
        StoreError: too few rows with data, constant embeddings, or embeddings that are not finite.
    """
    return [_layer_health(view_of(store, layer, window=1)) for layer in store.meta.layers]


def _layer_health(view: LayerView) -> LayerHealth:
    store, covariance = view.store, moments(view).covariance
    dim, has_patches = len(covariance), store.meta.granularity == "patch"
    border = border_share(view, fit(view, min(3, dim))) if has_patches else None
    variances = np.diag(covariance)
    low, middle, high = _norms(view)
    return LayerHealth(
        layer=view.layer,
        dim=dim,
        position_share=_rounded(position_share(store, view.layer)),
        seam_score=_rounded(seam_score(store, view.layer) if has_patches else None),
        border_share=_rounded(border),
        effective_rank=round(effective_rank(covariance), 2),
        dead_channels=int((variances <= _DEAD * variances.mean()).sum()),
        dominating_channels=int((variances > _DOMINATING * np.median(variances)).sum()),
        norm_median=float(f"{middle:.4g}"),
        norm_spread=_rounded(high / low if low > 0 else None),
    )


def effective_rank(covariance: np.ndarray) -> float:
    """Directions that a variance is spread over: the exponential of the entropy of a covariance's eigenvalues.

    Raises:
        StoreError: nothing varies.
    """
    variances = np.clip(np.linalg.eigvalsh(covariance), 0.0, None)
    if not variances.sum():
        raise StoreError("The embeddings are the same everywhere and have no rank. Check the backbone.")
    shares = variances / variances.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _norms(view: LayerView) -> tuple[float, float, float]:
    """5th percentile, median and 95th percentile of the lengths of embeddings."""
    lengths = [np.linalg.norm(rows.astype(np.float32), axis=1) for rows in view.tiles_to_fit()]
    low, middle, high = np.percentile(np.concatenate(lengths), [5, 50, 95])
    return float(low), float(middle), float(high)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
