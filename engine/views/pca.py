"""Principal components of all of a store: the same colours for the same embeddings on every tile."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import EngineError, StoreError
from engine.files import write_atomic
from engine.store.store import FINISHED, EmbeddingStore
from engine.views.layer_view import LayerView, view_of
from engine.views.moments import moments
from engine.views.position import Position
from engine.views.whole_windows import Windows
from engine.views.wide_components import WIDE, wide_components

logger = logging.getLogger(__name__)
# Rows that the colour stretch is taken from: their 2nd percentile lies within a hundredth of a standard deviation.
_STRETCH_ROWS = 200_000
# So many tiles, evenly spread over a store, stand for all of them.
_STRETCH_TILES = 500
_STRETCH_PERCENT = (2.0, 98.0)
# A direction that varies less than this share of the widest one is rounding noise, not colour.
_FLAT_SHARE = 1e-6


@dataclass(frozen=True)
class Pca:
    """The directions in which a store's embeddings vary most.

    Attributes:
        layer: as counted by the backbone.
        rows: rows that it was fitted on; of embeddings of very many numbers (`wide_components.py`) some of all.
        mean: (D,) float64.
        components: (k, D) float64, of length one, the largest number of each positive.
        explained_variance_ratio: (k,) share of the total variance, falling.
        low, high: (k,) 2nd and 98th percentile of the projections: black and full colour.
        window: patches along a side of the neighbourhood whose means it was fitted on; 1: the patches themselves.
        position: whether the place in the window was taken off before.
        windows: whether rows of whole windows were fitted on, or all rows with data.
    """

    layer: int
    rows: int
    mean: np.ndarray
    components: np.ndarray
    explained_variance_ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray
    window: int = 1
    position: str = "keep"
    windows: str = "all"

    def project(self, values: np.ndarray) -> np.ndarray:
        """(..., k) float32 coordinates of (..., D) embeddings."""
        flat = values.reshape(-1, values.shape[-1]).astype(np.float32)
        flat = flat - self.mean.astype(np.float32)  # before the product, so that a large mean costs no digits
        projected = flat @ self.components.T.astype(np.float32)
        return projected.reshape(*values.shape[:-1], len(self.components))

    def to_rgb(self, values: np.ndarray) -> np.ndarray:
        """(..., 3) uint8 of (..., D) embeddings: the first three components, stretched from low to high.

        A component that does not vary is mid-grey; numbers that are not finite are black.

        Raises:
            StoreError: fitted with fewer than three components.
        """
        if len(self.components) < 3:
            raise StoreError(
                f"The PCA has {len(self.components)} components; red, green and blue need three. "
                f"Fit with components=3."
            )
        low, span = self.low[:3], (self.high - self.low)[:3]
        is_flat = span <= _FLAT_SHARE * span.max()
        share = (self.project(values)[..., :3] - low) / np.where(is_flat, 1.0, span)
        share = np.where(is_flat, 0.5, np.nan_to_num(share, nan=0.0, posinf=0.0, neginf=0.0))
        return (np.clip(share, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)

    def save(self, path: Path, key: str = "") -> None:
        """Write as npz, atomically; `key` says what it was fitted on."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        facts = json.dumps(
            {
                "layer": self.layer,
                "rows": self.rows,
                "window": self.window,
                "position": self.position,
                "windows": self.windows,
                "key": key,
            }
        )

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.savez(file, facts=np.array(facts), **arrays)

        write_atomic(path, write)

    @classmethod
    def load(cls, path: Path, key: str | None = None) -> Pca:
        """Read what `save` wrote.

        Raises:
            StoreError: absent, damaged, or fitted on something else than `key`.
        """
        try:
            with np.load(path, allow_pickle=False) as kept:
                facts = json.loads(str(kept["facts"]))
                arrays = {name: kept[name] for name in _ARRAYS}
        except (OSError, ValueError, KeyError, EOFError) as err:
            raise StoreError(f"{path} holds no readable PCA ({err}). Fit it again.") from err
        if key is not None and facts["key"] != key:
            raise StoreError(f"{path} holds the PCA of another store. Fit it again.")
        told = {name: facts[name] for name in ("layer", "rows", "window", "position", "windows")}
        return cls(**told, **arrays)


_ARRAYS = ("mean", "components", "explained_variance_ratio", "low", "high")


def fit_pca(
    store: EmbeddingStore,
    layer: int | None = None,
    components: int = 3,
    window: int = 1,
    position: Position = "keep",
    windows: Windows = "whole",
) -> Pca:
    """Fit on the rows of a store's layer; see `fit` and `view_of`."""
    return fit(view_of(store, layer, window, position, windows), components)


def fit(view: LayerView, components: int = 3) -> Pca:
    """Fit on the rows of a view that fits are made on, one part in memory.

    Args:
        components: directions to keep, at most D.

    Raises:
        StoreError: more components than dimensions, too few rows, constant embeddings, or embeddings that are not finite.
    """
    meta, store = view.store.meta, view.store
    dim = meta.dims[meta.layers.index(view.layer)]
    _check_components(components, dim, meta.backbone)
    rows, mean, variances, directions, total = (_wide if dim > WIDE else _decomposed)(view, components)
    _check_varies(total, mean, store)
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    kept = directions * np.where(largest < 0, -1.0, 1.0)
    ratio = np.clip(variances, 0.0, None) / total
    blank = np.zeros(components)
    fitted = Pca(
        view.layer,
        rows,
        mean,
        kept,
        ratio,
        blank,
        blank,
        view.window,
        view.position,
        view.fitted[1],
    )
    low, high = _stretch(view, fitted)
    return replace(fitted, low=low, high=high)


_Found = tuple[int, np.ndarray, np.ndarray, np.ndarray, float]
"""Rows, mean (D,), variances (k,), directions (k, D), and the variance of all numbers together."""


def _decomposed(view: LayerView, components: int) -> _Found:
    """From the covariance of all rows."""
    found = moments(view)
    variances, directions = np.linalg.eigh(found.covariance)
    order = np.argsort(variances)[::-1][:components]
    total = float(np.clip(variances, 0.0, None).sum())
    return found.rows, found.mean, variances[order], directions[:, order].T, total


def _wide(view: LayerView, components: int) -> _Found:
    """Without a covariance, which would be too large."""
    found = wide_components(view, components)
    return found.rows, found.mean, found.variances, found.directions, found.total


def pca_of(view: LayerView, components: int = 3) -> Pca:
    """The PCA of a view, fitted once and saved beside the store (`<run>/pca/`).

    Where the folder cannot be written, it is fitted anew each time.

    Raises:
        StoreError: as `fit`.
    """
    name = f"layer{view.layer}_k{components}_w{view.window}_{view.position}_{view.windows}.npz"
    path, key = _cache_folder(view.store) / name, identity_of(view.store)
    if path.is_file():
        try:
            return Pca.load(path, key)
        except StoreError as err:
            logger.info("Fitting again: %s", err)
    fitted = fit(view, components)
    try:
        fitted.save(path, key)
    except EngineError as err:
        logger.warning("The PCA of %s is not saved: %s", view.store.folder, err)
    return fitted


def _stretch(view: LayerView, fitted: Pca) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles of the projections of the rows of every n-th tile, or of every n-th row where tiles are few."""
    step = -(-fitted.rows // _STRETCH_ROWS)
    tile_step = step if len(view.store.tiles) >= _STRETCH_TILES * step else 1
    row_step = step if tile_step == 1 else 1
    taken, first = [], 0
    for rows in view.tiles_to_fit(tile_step):
        taken.append(fitted.project(rows[-first % row_step :: row_step]))
        first += len(rows)
    low, high = np.percentile(np.concatenate(taken).astype(np.float64), _STRETCH_PERCENT, axis=0)
    return low, high


def _check_components(components: int, dim: int, backbone: str) -> None:
    if not 1 <= components <= dim:
        raise StoreError(
            f"The embeddings of {backbone} have {dim} dimensions, and {components} components were asked for. "
            f"Ask for 1 to {dim}."
        )


def _check_varies(total: float, mean: np.ndarray, store: EmbeddingStore) -> None:
    # float64 sums of n squares keep about 1e-12 of the squared mean; anything below is rounding.
    if total <= 1e-12 * max(float(mean @ mean), np.finfo(np.float64).tiny):
        raise StoreError(
            f"{store.folder} holds the same embedding everywhere, which has no principal components. Extract a region with more than one kind of ground, or check the backbone."
        )


def _cache_folder(store: EmbeddingStore) -> Path:
    return store.folder.parent / "pca" if store.folder.name == FINISHED else store.folder / "_pca"


def identity_of(store: EmbeddingStore) -> str:
    """Changes when the store does: its configuration, and its parts' names, sizes and times.

    Raises:
        StoreError: a part has gone.
    """
    facts = [store.meta.config_hash, store.meta.weights_sha256]
    facts += [f"cells:{store.cells}"] if store.cells > 1 else []
    facts += store.states
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
