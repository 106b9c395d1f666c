"""Principal components of all of a store: the same colours for the same embeddings on every tile."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import EngineError, StoreError
from engine.files import write_atomic
from engine.store.store import FINISHED, EmbeddingStore
from engine.views.neighbourhood_mean import neighbourhood_mean

logger = logging.getLogger(__name__)
# Rows of one step: 8192 float64 rows of 1024 numbers are 64 MB.
_BLOCK_ROWS = 8192
# Rows that the colour stretch is taken from; a percentile of two million is stable to a fraction of a grey level.
_STRETCH_ROWS = 2_000_000
_STRETCH_PERCENT = (2.0, 98.0)
# A direction that varies less than this share of the widest one is rounding noise, not colour.
_FLAT_SHARE = 1e-6


@dataclass(frozen=True)
class Pca:
    """The directions in which a store's embeddings vary most.

    Attributes:
        layer: as counted by the backbone.
        rows: rows that it was fitted on: all with a valid pixel.
        mean: (D,) float64.
        components: (k, D) float64, of length one, the largest number of each positive.
        explained_variance_ratio: (k,) share of the total variance, falling.
        low, high: (k,) 2nd and 98th percentile of the projections: black and full colour.
        window: patches along a side of the neighbourhood whose means it was fitted on; 1: the patches themselves.
    """

    layer: int
    rows: int
    mean: np.ndarray
    components: np.ndarray
    explained_variance_ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray
    window: int = 1

    def project(self, values: np.ndarray) -> np.ndarray:
        """(..., k) float32 coordinates of (..., D) embeddings."""
        projected = (values.astype(np.float64) - self.mean) @ self.components.T
        return projected.astype(np.float32)

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
        facts = json.dumps({"layer": self.layer, "rows": self.rows, "window": self.window, "key": key})

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
        return cls(layer=facts["layer"], rows=facts["rows"], window=facts["window"], **arrays)


_ARRAYS = ("mean", "components", "explained_variance_ratio", "low", "high")


def fit_pca(store: EmbeddingStore, layer: int | None = None, components: int = 3, window: int = 1) -> Pca:
    """Fit on all rows of a store that have a valid pixel, one part in memory.

    The covariance is summed in float64 about the first block's mean, which keeps the sums small.

    Args:
        layer: as counted by the backbone; None: the store's first.
        components: directions to keep, at most D.
        window: fit on means over so many patches along a side (odd); see `neighbourhood_mean`.

    Raises:
        StoreError: no such layer, an even window, more components than dimensions, too few rows, constant embeddings, or
            embeddings that are not finite.
    """
    column = store.column(layer)
    position = store.meta.columns.index(column)
    _check_components(components, store.meta.dims[position], store.meta.backbone)
    _check_window(window)
    rows, mean, covariance = _moments(store, layer, window)
    variances, directions = np.linalg.eigh(covariance)
    _check_varies(variances, mean, store)
    order = np.argsort(variances)[::-1][:components]
    kept = directions[:, order].T  # (k, D)
    largest = np.take_along_axis(kept, np.abs(kept).argmax(axis=1)[:, None], axis=1)
    kept = kept * np.where(largest < 0, -1.0, 1.0)
    ratio = np.clip(variances[order], 0.0, None) / np.clip(variances, 0.0, None).sum()
    blank = np.zeros(components)
    fitted = Pca(store.meta.layers[position], rows, mean, kept, ratio, blank, blank, window)
    low, high = _stretch(store, layer, fitted)
    return replace(fitted, low=low, high=high)


def pca_of(store: EmbeddingStore, layer: int | None = None, components: int = 3, window: int = 1) -> Pca:
    """The PCA of a store's layer, fitted once and saved beside the store (`<run>/pca/`).

    Where the folder cannot be written, it is fitted anew each time.

    Raises:
        StoreError: as `fit_pca`.
    """
    number = store.meta.layers[store.meta.columns.index(store.column(layer))]
    path, key = _cache_folder(store) / f"layer{number}_k{components}_w{window}.npz", _identity(store)
    if path.is_file():
        try:
            return Pca.load(path, key)
        except StoreError as err:
            logger.info("Fitting again: %s", err)
    fitted = fit_pca(store, number, components, window)
    try:
        fitted.save(path, key)
    except EngineError as err:
        logger.warning("The PCA of %s is not saved: %s", store.folder, err)
    return fitted


def _moments(store: EmbeddingStore, layer: int | None, window: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Rows, mean (D,) and covariance (D, D), with n - 1 in the denominator."""
    rows = 0
    shift = total = product = np.zeros(0)
    for block in _valid_blocks(store, layer, window):
        _check_finite(block, store)
        if not rows:
            shift = block.mean(axis=0)
            total, product = np.zeros_like(shift), np.zeros((len(shift), len(shift)))
        centred = block - shift
        rows += len(block)
        total = total + centred.sum(axis=0)
        product += centred.T @ centred
    if rows < 2:
        raise StoreError(
            f"{store.folder} has {rows} patches with valid pixels; a PCA needs two or more. "
            f"Extract a larger region."
        )
    covariance = (product - np.outer(total, total) / rows) / (rows - 1)
    return rows, shift + total / rows, covariance


def _valid_blocks(store: EmbeddingStore, layer: int | None, window: int) -> Iterator[np.ndarray]:
    """(n, D) float64 rows with a valid pixel (means over their window), gathered from the tiles into blocks."""
    waiting: list[np.ndarray] = []
    for _, values, valid in store.iterate(layer):
        waiting.append(neighbourhood_mean(values, valid, window)[valid > 0])  # (n, D)
        if sum(map(len, waiting)) >= _BLOCK_ROWS:
            yield np.concatenate(waiting).astype(np.float64)
            waiting = []
    if sum(map(len, waiting)):
        yield np.concatenate(waiting).astype(np.float64)


def _stretch(store: EmbeddingStore, layer: int | None, fitted: Pca) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles of the projections of every n-th valid row."""
    step = -(-fitted.rows // _STRETCH_ROWS)
    projected = np.concatenate(
        [fitted.project(block[::step]) for block in _valid_blocks(store, layer, fitted.window)]
    )
    low, high = np.percentile(projected.astype(np.float64), _STRETCH_PERCENT, axis=0)
    return low, high


def _check_components(components: int, dim: int, backbone: str) -> None:
    if not 1 <= components <= dim:
        raise StoreError(
            f"The embeddings of {backbone} have {dim} dimensions, and {components} components were asked for. "
            f"Ask for 1 to {dim}."
        )


def _check_window(window: int) -> None:
    if window < 1 or window % 2 == 0:
        raise StoreError(f"The window is {window} patches; it is odd: 1, 3, 5 ... Choose another.")


def _check_finite(block: np.ndarray, store: EmbeddingStore) -> None:
    if not np.isfinite(block).all():
        raise StoreError(
            f"{store.folder} holds embeddings that are not finite. Run `python -m engine check` on it, or extract again "
            f"with output.dtype: float32."
        )


def _check_varies(variances: np.ndarray, mean: np.ndarray, store: EmbeddingStore) -> None:
    # float64 sums of n squares keep about 1e-12 of the squared mean; anything below is rounding.
    if variances.sum() <= 1e-12 * max(float(mean @ mean), np.finfo(np.float64).tiny):
        raise StoreError(
            f"{store.folder} holds the same embedding everywhere, which has no principal components. Extract a region with more than one kind of ground, or check the backbone."
        )


def _cache_folder(store: EmbeddingStore) -> Path:
    return store.folder.parent / "pca" if store.folder.name == FINISHED else store.folder / "_pca"


def _identity(store: EmbeddingStore) -> str:
    """Changes when the store does: its configuration, and its parts' names, sizes and times."""
    states = [(part.path.name, part.path.stat()) for part in store.parts]
    facts = [store.meta.config_hash, store.meta.weights_sha256]
    facts += [f"{name}:{state.st_size}:{state.st_mtime_ns}" for name, state in states]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
