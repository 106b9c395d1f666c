"""A layer view in its first principal components, 8 bits each: small enough to go to a browser once.

With 32 components and a scale for each, the cosines of a vision transformer correlate 0.9998 with those in full
precision, and 0.9999 for random convolutional features; one scale for all is worse (measured). What must be exact is
computed from the store itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from engine.concurrency.ordered_map import ordered_map
from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.views.layer_view import LayerView
from engine.views.lens.lens import Lens
from engine.views.lens.overview import MOST_BYTES, kept_header, pieces_path, step_for, write_overview
from engine.views.lens.placement import lonlat, place
from engine.views.lens.reduction_file import (
    INVALID,
    MOST_ERROR,
    Header,
    read_numbers,
    read_table,
    tile_table,
    write_file,
)
from engine.views.pca import Pca, pca_of

# Components that are kept where they show enough, and what more may be taken for the share below.
_USUAL, _MOST, _STEP = 32, 64, 16
_ENOUGH_SHARE = 0.9
# A component's scale leaves out one of a thousand numbers, which are clipped.
_SCALE_PERCENT = 99.9
_STEPS = 127
_RANGE_PERCENT = (2.0, 98.0)
# Numbers sampled for scales and deviations.
_SAMPLE_ROWS = 200_000
_THREADS = 2


@dataclass(frozen=True)
class Reduction:
    """A view in few numbers, read from its file.

    Attributes:
        path: the file, as a browser gets it; of a large store the overview.
        basis: the components that it is in.
        deviations: (k,) standard deviation of each component over this store.
        header: the facts at the head of the file.
    """

    path: Path
    basis: Pca
    deviations: np.ndarray
    header: Header

    def numbers(self) -> np.ndarray:
        """(n, k) float32 as a browser has them; NaN where there is no data."""
        stored = read_numbers(self.path, self.header)
        found = stored[:, : self.header.components] * np.array(self.header.scales, np.float32)
        found[stored[:, 0] == INVALID] = np.nan
        return found

    def range_of(self, lens: Lens) -> tuple[float, float]:
        """2nd and 98th percentile of what a lens of one number gives over evenly spread patches.

        Args:
            lens: for the embeddings themselves.
        """
        every = -(-self.header.patches // _SAMPLE_ROWS)
        found = lens.reduced(self.basis).values(self.numbers()[::every])
        low, high = np.nanpercentile(found, _RANGE_PERCENT)
        return float(low), float(high)

    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees around all tiles."""
        boxes = read_table(self.path, self.header)[:, 4:8]
        lowest, highest = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        lon, lat = lonlat(np.array([lowest[0], highest[0]]), np.array([lowest[1], highest[1]]))
        return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])

    @property
    def left_out(self) -> int:
        """Patches that a web map cannot place, and does not show: of tiles too large, or too near to a pole."""
        return self.header.patches - int(read_table(self.path, self.header)[:, 1:3].prod(axis=1).sum())

    def row_of(self, number: int) -> int:
        """The store's row that a patch of the file stands for: the first of those that were averaged.

        Raises:
            StoreError: there is no such patch.
        """
        step, first = self.header.step, 0
        for h, w in self.header.shapes:
            across = -(-w // step)
            count = -(-h // step) * across
            if 0 <= number < count:
                return first + number // across * step * w + number % across * step
            number -= count
            first += h * w
        raise StoreError("The patch is not in this store. Choose one on the map.")


def reduction_of(view: LayerView, basis: Pca | None = None, most_bytes: int = MOST_BYTES) -> Reduction:
    """The reduction of a view, made once and kept beside the store's overlays until the store changes.

    Args:
        basis: components of another store of the same backbone and layer; None: the view's own.
        most_bytes: of all numbers; a larger store has an overview of means and its patches in pieces.

    Raises:
        StoreError: as `pca.fit`, or components of other embeddings.
    """
    own = pca_of(view, min(_MOST, _dim(view)))
    chosen = _first(own if basis is None else basis)
    if len(chosen.mean) != _dim(view):
        raise StoreError(
            f"The components are of embeddings of {len(chosen.mean)} numbers, and {view.store.folder} has "
            f"{_dim(view)}. Choose a store of the same backbone and layer."
        )
    shapes = [(tile.h, tile.w) for tile in view.store.tiles]
    step = step_for(shapes, -(-len(chosen.components) // 16) * 16, most_bytes)
    identity = _identity(view, chosen, step)
    named = "own" if basis is None else hashlib.sha256(chosen.components.tobytes()).hexdigest()[:12]
    name = f"lens-layer-{view.layer}-window-{view.window}-{view.position}-{view.windows}-{named}.bin"
    path = view.store.folder.parent / "overlays" / name
    header = kept_header(path, identity)
    if header is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):  # a second visitor waits, and reads what the first wrote
            header = kept_header(path, identity)
            if header is None:
                header = _write(path, view, chosen, step, identity)
    return Reduction(path, chosen, np.array(header.deviations), header)


def _first(fitted: Pca) -> Pca:
    """As many components as show enough of the variance: 32, or up to 64 in steps of 16."""
    shares = np.cumsum(fitted.explained_variance_ratio)
    count = min(_USUAL, len(shares))
    while count < len(shares) and shares[count - 1] < _ENOUGH_SHARE:
        count = min(count + _STEP, len(shares))
    kept = {
        name: getattr(fitted, name)[:count]
        for name in ("components", "explained_variance_ratio", "low", "high")
    }
    return replace(fitted, **kept)


def _write(path: Path, view: LayerView, basis: Pca, step: int, identity: str) -> Header:
    tiles = view.store.tiles
    placement = place(tiles)
    if placement.error.min() > MOST_ERROR:
        raise StoreError(
            f"The tiles of {view.store.folder} cannot be drawn on a web map: they are too large or too near to a pole. "
            f"Export them and look at them in their own projection."
        )
    scales, deviations = _scales(view, basis)
    header = Header(
        identity=identity, components=len(basis.components), step=1,
        shapes=tuple((tile.h, tile.w) for tile in tiles), scales=tuple(scales), deviations=tuple(deviations),
        share=float(basis.explained_variance_ratio.sum()), dates=_dates(tiles),
        facts={"backbone": view.store.meta.backbone, "layer": view.layer, "position": view.position},
    )  # fmt: skip
    dates = np.array([header.dates.index(_date(tile)) for tile in tiles], np.float64)
    table = tile_table(placement, header, dates, MOST_ERROR)
    if step == 1:
        return write_file(path, header, table, _quantised(view, basis, header))
    write_file(pieces_path(path), header, table, _quantised(view, basis, header))
    return write_overview(path, step)


def _quantised(view: LayerView, basis: Pca, header: Header) -> Iterator[np.ndarray]:
    """Tile by tile, (n, stored) int8; patches without data, or with numbers that are not finite, are marked."""
    scales = np.array(header.scales, np.float32)

    def one(shown: tuple[StoredTile, np.ndarray, np.ndarray]) -> np.ndarray:
        _, values, valid = shown
        with np.errstate(invalid="ignore"):
            projected = basis.project(values)  # (h, w, k)
            has_data = (valid > 0) & np.isfinite(projected).all(axis=-1)
        stored = np.zeros((*has_data.shape, header.stored), np.int8)
        steps = np.clip(np.rint(np.where(has_data[..., None], projected, 0) / scales), -_STEPS, _STEPS)
        stored[..., : header.components] = steps
        stored[~has_data, 0] = INVALID
        return stored.reshape(-1, header.stored)

    return ordered_map(view.tiles(), one, _THREADS, "reduction")


def _scales(view: LayerView, basis: Pca) -> tuple[list[float], list[float]]:
    """What one step of each component is worth, and each component's standard deviation; of evenly spread rows."""
    rows = int(view.fitted[0].sum())
    step = -(-rows // _SAMPLE_ROWS)
    tile_step = step if len(view.store.tiles) >= 500 * step else 1
    row_step = 1 if tile_step > 1 else step
    taken = np.concatenate([basis.project(part[::row_step]) for part in view.tiles_to_fit(tile_step)])
    scales = np.percentile(np.abs(taken), _SCALE_PERCENT, axis=0) / _STEPS
    least = max(float(scales.max()) * 1e-9, 1e-30)
    return [float(max(scale, least)) for scale in scales], [float(one) for one in taken.std(axis=0)]


def _dates(tiles: tuple[StoredTile, ...]) -> tuple[str, ...]:
    return tuple(sorted({_date(tile) for tile in tiles}))


def _date(tile: StoredTile) -> str:
    """The last of a tile's dates; empty where none is known."""
    return next((time for time in reversed(tile.datetimes) if time), "")


def _identity(view: LayerView, basis: Pca, step: int) -> str:
    """Changes when the store, the view or the components do."""
    facts: list[Any] = [
        view.store.meta.config_hash,
        view.layer,
        view.window,
        view.position,
        view.windows,
        step,
    ]
    facts += view.store.states
    made = hashlib.sha256(repr(facts).encode())
    made.update(np.ascontiguousarray(basis.components).tobytes())
    made.update(np.ascontiguousarray(basis.mean).tobytes())
    return made.hexdigest()


def _dim(view: LayerView) -> int:
    return view.store.meta.dims[view.store.meta.layers.index(view.layer)]
