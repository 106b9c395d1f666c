"""The health card of a store: numbers that say whether its embeddings tell of the ground, each with a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.store.store import EmbeddingStore
from engine.views.health.border import border_share
from engine.views.health.imagery import Following, following
from engine.views.health.seams import seam_score
from engine.views.layer_view import LayerView, view_of
from engine.views.moments import moments
from engine.views.pca import fit
from engine.views.position import Position, position_share

# A channel whose variance is below this share of the mean variance of all does not vary.
DEAD = 1e-6
# A channel with so many times the median variance holds most of any distance by itself.
DOMINATING = 100.0
# Lengths of embeddings that were normalised, from 8 bits too: within so much of 1, and so much alike.
_UNIT, _ALIKE = 0.02, 1.05
# Eigenvalues that are told.
_SPECTRUM = 32


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
        mean_share: of the mean squared length, what all embeddings have in common (the squared length of their mean).
        spectrum: share of the variance of each component, falling; the first 32.
        following: how far the first three components follow the imagery; None where the scenes are not there.
        shift_sensitivity: distance that a shift of the window by one pixel moves an embedding, over that between any
            two (root mean squares); None where it was not measured, for it needs the encoder.
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
    mean_share: float
    spectrum: tuple[float, ...]
    following: Following | None = None
    shift_sensitivity: float | None = None

    @property
    def is_unit_length(self) -> bool:
        """Whether the embeddings were divided by their length, which then tells nothing of the encoder."""
        is_alike = self.norm_spread is not None and self.norm_spread < _ALIKE
        return is_alike and abs(self.norm_median - 1) < _UNIT

    @property
    def first_component(self) -> float:
        """Share of the variance of the first component."""
        return self.spectrum[0]

    @property
    def first_three(self) -> float:
        """Share of the variance of the first three components."""
        return sum(self.spectrum[:3])

    @property
    def most_following(self) -> float | None:
        """The largest share of the first three components that an index explains."""
        return None if self.following is None else max(self.following.shares.values())

    @property
    def following_in_words(self) -> str:
        """What each index explains."""
        shares = {} if self.following is None else self.following.shares
        return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())


def health(store: EmbeddingStore, root: Path | None = None, position: Position = "keep") -> list[LayerHealth]:
    """Measure every layer of a store; each is read several times, one part in memory.

    Args:
        root: where the extraction keeps what it made itself; None: the imagery is not looked at.
        position: remove: of what is left when the mean of each place in the window is taken off.

    Raises:
        StoreError: too few rows with data, constant embeddings, or embeddings that are not finite.
    """
    return [
        layer_health(view_of(store, layer, window=1, position=position), root) for layer in store.meta.layers
    ]


def layer_health(view: LayerView, root: Path | None = None) -> LayerHealth:
    """Measure one layer; see `health`."""
    store, found = view.store, moments(view)
    covariance = found.covariance
    dim, has_patches = len(covariance), store.meta.granularity == "patch"
    fitted = fit(view, min(3, dim))
    border = border_share(view, fitted) if has_patches else None
    variances, common = np.diag(covariance), float(found.mean @ found.mean)
    along = np.linalg.eigvalsh(covariance)
    low, middle, high = _norms(view)
    return LayerHealth(
        layer=view.layer,
        dim=dim,
        position_share=_rounded(position_share(store, view.layer, view.places)),
        seam_score=_rounded(seam_score(store, view.layer, places=view.places) if has_patches else None),
        border_share=_rounded(border),
        effective_rank=round(effective_rank(along), 2),
        dead_channels=int((variances <= DEAD * variances.mean()).sum()),
        dominating_channels=int((variances > DOMINATING * np.median(variances)).sum()),
        norm_median=float(f"{middle:.4g}"),
        norm_spread=_rounded(high / low if low > 0 else None),
        mean_share=round(common / (common + float(variances.sum())), 4),
        spectrum=spectrum(along),
        following=None if root is None else following(view, fitted, root),
    )


def spectrum(variances: np.ndarray) -> tuple[float, ...]:
    """Shares of the variance of the components, falling; the first 32.

    Args:
        variances: the covariance's eigenvalues.
    """
    shares = np.clip(variances, 0.0, None)
    shares = np.sort(shares)[::-1] / shares.sum()
    return tuple(round(float(share), 6) for share in shares[:_SPECTRUM])


def effective_rank(variances: np.ndarray) -> float:
    """Directions that a variance is spread over: the exponential of the entropy of a covariance's eigenvalues.

    Raises:
        StoreError: nothing varies.
    """
    found = np.clip(variances, 0.0, None)
    if not found.sum():
        raise StoreError("The embeddings are the same everywhere and have no rank. Check the backbone.")
    shares = found / found.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _norms(view: LayerView) -> tuple[float, float, float]:
    """5th percentile, median and 95th percentile of the lengths of embeddings."""
    lengths = [np.linalg.norm(rows.astype(np.float32), axis=1) for rows in view.tiles_to_fit()]
    low, middle, high = np.percentile(np.concatenate(lengths), [5, 50, 95])
    return float(low), float(middle), float(high)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
