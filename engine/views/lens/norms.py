"""The length of each embedding as a lens: a file for the browser, and the same for exports.

A few patches of a vision transformer that are far longer than the rest hold no ground: the model keeps what it knows of the
whole window there (Darcet et al. 2024, "Vision transformers need registers").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.views.layer_view import LayerView
from engine.views.lens.lens import Lens, ramp
from engine.views.lens.overview import kept_header
from engine.views.lens.reduction_file import Header
from engine.views.lens.scalar_file import scalar_file
from engine.views.pca import identity_of

_PERCENT = (2.0, 98.0)
# Longer ones than so many times the 98th percentile are drawn as if they were not longer.
_HIGHEST = 4.0


@dataclass(frozen=True)
class Norms:
    """The lengths of what a view shows.

    Attributes:
        path, header: of the file with a number a patch.
        low, high: 2nd and 98th percentile: the first and the last colour.
    """

    path: Path
    header: Header
    low: float
    high: float


def norms_of(view: LayerView) -> Norms:
    """The lengths of a view, measured once and kept beside the store's overlays until the store changes.

    Raises:
        StoreError: no row with data, or embeddings that are not finite.
    """
    seen = repr((identity_of(view.store), view.layer, view.window, view.position))
    identity = hashlib.sha256(seen.encode()).hexdigest()
    name = f"norms-layer-{view.layer}-window-{view.window}-{view.position}.bin"
    path = view.store.folder.parent / "overlays" / name
    header = kept_header(path, identity)
    if header is None:
        header = _write(view, path, identity)
    return Norms(path, header, float(header.facts["low"]), float(header.facts["high"]))


def norms_lens(dim: int, low: float, high: float, threshold: float | None = None) -> Lens:
    """The length of embeddings of `dim` numbers."""
    zero = np.zeros(dim)
    return Lens(
        "norm", np.eye(dim), zero, zero, np.array([low]), np.array([high]), ramp(), threshold=threshold, names=("norm",)
    )  # fmt: skip


def _write(view: LayerView, path: Path, identity: str) -> Header:
    found = list(_norms(view))
    lengths = np.concatenate([numbers.ravel() for _, numbers in found])
    lengths = lengths[~np.isnan(lengths)]
    if not len(lengths):
        raise StoreError(f"{view.store.folder} has no patch with data. Extract another region.")
    if not np.isfinite(lengths).all():
        raise StoreError(
            f"{view.store.folder} holds embeddings that are not finite. Run `python -m engine check` on it."
        )
    low, high = (float(one) for one in np.percentile(lengths, _PERCENT))
    return scalar_file(path, identity, _HIGHEST * high, lambda: found, {"low": low, "high": high})


def _norms(view: LayerView) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Tile by tile, lengths (h, w), NaN without data."""
    for tile, values, valid in view.tiles():
        lengths = np.linalg.norm(values.astype(np.float32), axis=-1)
        lengths = np.where(np.isnan(lengths), np.float32("inf"), lengths)
        yield tile, np.where(valid > 0, lengths, np.float32("nan"))
