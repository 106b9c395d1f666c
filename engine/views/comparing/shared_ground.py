"""Embeddings of several views on the ground that all of them share, patch by patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import StoreError
from engine.store.footprints import footprints
from engine.store.schema import StoredTile
from engine.views.comparing.dated_view import DatedView
from engine.views.comparing.footprints import OnFootprints

# Patches that stores are compared on: their products are those of a million to three digits.
MOST_PATCHES = 20_000
# With fewer, a comparison is one of chance.
LEAST_PATCHES = 10
# So many tiles, evenly spread over a store, stand for all of them.
_FEW_TILES = 500


@dataclass(frozen=True)
class SharedGround:
    """Patches that every view has, spread evenly over the ground they share.

    Attributes:
        views: what was read.
        coarsest: which of the views gives the patches; the others are means over these.
        embeddings: (n, D) float32 of each view.
        tiles: (n,) which of the coarsest view's chosen tiles a patch belongs to.
        rows: (n,) the row of the patch in its tile.
        resampled: which views have other patches than the coarsest.
    """

    views: tuple[DatedView, ...]
    coarsest: int
    embeddings: tuple[np.ndarray, ...]
    tiles: np.ndarray
    rows: np.ndarray
    resampled: tuple[bool, ...]

    @property
    def count(self) -> int:
        """Patches that are compared."""
        return len(self.rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of how the views were brought together."""
        side = self.views[self.coarsest].patch_m
        told = [
            f"{view.title} has other patches and is averaged over those of {self.views[self.coarsest].title} ({side:g} m)."
            for view, is_resampled in zip(self.views, self.resampled, strict=True)
            if is_resampled
        ]
        largest = max(values.shape[1] for values in self.embeddings)
        if self.count < 2 * largest:
            told.append(
                f"The views share {self.count} patches, and embeddings have up to {largest} numbers: with fewer than twice as "
                f"many patches, likeness is overrated."
            )
        return tuple(told)


def shared_ground(views: Sequence[DatedView], most: int = MOST_PATCHES) -> SharedGround:
    """Read several views on the patches of the coarsest of them.

    Args:
        most: patches that are read, about; they are spread evenly.

    Raises:
        StoreError: views that share less than ten patches, or embeddings that are not finite.
    """
    coarsest = max(range(len(views)), key=lambda number: views[number].patch_m)
    others = [None if number == coarsest else OnFootprints(view) for number, view in enumerate(views)]
    base = views[coarsest]
    step = -(-sum(tile.rows for tile in base.chosen) // most)
    tile_step = step if len(base.chosen) >= _FEW_TILES * step else 1
    row_step = step if tile_step == 1 else 1
    taken: list[list[np.ndarray]] = [[] for _ in views]
    numbers, rows, first = [], [], 0
    # One of every so many rows, drawn: every n-th one would stand in the same columns of every tile.
    drawn = _drawn(sum(tile.rows for tile in base.chosen), row_step)
    for number in range(0, len(base.chosen), tile_step):
        tile = base.chosen[number]
        read, is_there = _read(tile, base, others)
        shared = np.flatnonzero(is_there)
        begin, end = np.searchsorted(drawn, (first, first + len(shared)))
        own = shared[drawn[begin:end] - first]
        first += len(shared)
        if not len(own):
            continue
        for values, kept in zip(read, taken, strict=True):
            kept.append(values.reshape(tile.rows, -1)[own].astype(np.float32))
        rows.append(own)
        numbers.append(np.full(len(own), number))
    if sum(map(len, rows)) < LEAST_PATCHES:
        raise _share_too_little(views, sum(map(len, rows)))
    embeddings = tuple(np.concatenate(kept) for kept in taken)
    _require_finite(views, embeddings)
    resampled = tuple(other is not None and other.is_resampled for other in others)
    return SharedGround(
        tuple(views), coarsest, embeddings, np.concatenate(numbers), np.concatenate(rows), resampled
    )


def _drawn(count: int, step: int) -> np.ndarray:
    """One number of each step of the numbers below count, rising, the same in every run."""
    starts = np.arange(0, count, step)
    return np.asarray(starts + np.random.default_rng(0).integers(0, step, len(starts)))


def _read(
    tile: StoredTile, base: DatedView, others: Sequence[OnFootprints | None]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Every view on the patches of a tile (h, w, D), and (rows,) bool: where all have data."""
    own, valid = base.view.read_tile(tile)
    is_there, read = valid > 0, list[np.ndarray]()
    for other in others:
        values, covered = (own, is_there) if other is None else other.onto(tile)
        read.append(values)
        is_there = is_there & covered
    return read, is_there.ravel()


def _require_finite(views: Sequence[DatedView], embeddings: Sequence[np.ndarray]) -> None:
    for view, values in zip(views, embeddings, strict=True):
        if not np.isfinite(values).all():
            raise StoreError(
                f"{view.store.folder} holds embeddings that are not finite. Run `python -m engine check` on it, or extract "
                f"again with output.dtype: float32."
            )


def require_varied(ground: SharedGround) -> None:
    """Check that no view is the same everywhere on the ground.

    Raises:
        StoreError: it is; rounding does not count as a difference.
    """
    for view, values in zip(ground.views, ground.embeddings, strict=True):
        spread = values.astype(np.float64).std(axis=0)
        if np.linalg.norm(spread) <= 1e-6 * np.linalg.norm(values[0].astype(np.float64)) or not spread.any():
            raise StoreError(
                f"{view.store.folder} has the same embedding everywhere on the ground that is looked at, and is like nothing. "
                f"Choose ground of more than one kind, or check the backbone."
            )


def _share_too_little(views: Sequence[DatedView], count: int) -> StoreError:
    if len(views) == 1:
        return StoreError(
            f"{views[0].store.folder} has data in fewer than {LEAST_PATCHES} patches ({count}). Extract a larger region."
        )
    places = "; ".join(f"{view.store.folder} lies at {_where(view)}" for view in views)
    return StoreError(
        f"The {len(views)} stores share {count} patches with data, and a comparison needs {LEAST_PATCHES} ({places}). Choose "
        f"stores of the same ground."
    )


def _where(view: DatedView) -> str:
    """Longitudes and latitudes of a view, in words."""
    west, south, east, north = footprints(view.chosen).total_bounds
    return f"{west:.3f} to {east:.3f} E, {south:.3f} to {north:.3f} N"
