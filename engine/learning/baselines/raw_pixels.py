"""Raw reflectances of the labelled pixels of tiles, from a store that may cut its tiles elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from shapely import Polygon, STRtree

from engine.errors import StoreError
from engine.labels.patches import to_pixels
from engine.learning.baselines.dates import outline
from engine.learning.truth import LabelledTile
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

OfBands = Callable[[np.ndarray], np.ndarray]
"""(height_px, width_px, K) features of a tile from its bands, (height_px, width_px, C)."""
WhichDate = Callable[[StoredTile], str | None]


def last_date(tile: StoredTile) -> str | None:
    """The last date that went into a tile."""
    return tile.datetimes[-1] if tile.datetimes else None


def labelled_pixels(
    raw: EmbeddingStore,
    tiles: Sequence[LabelledTile],
    bands: Sequence[str],
    of_bands: OfBands,
    date: WhichDate = last_date,
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Number of a tile, truth (n,) and features (n, K) of its labelled pixels; in the order of the raw store.

    Tiles end with the patch in which the scene ends, so that those of a raw store begin elsewhere than those of an encoder
    with other patches: pixels are found by where they lie. Tiles without a labelled pixel are left out.

    Args:
        bands: common names of what `of_bands` is given, in its order.
        date: of which date's reflectances each tile is to have.

    Raises:
        StoreError: the raw store lacks a labelled pixel.
    """
    numbers = [number for number, one in enumerate(tiles) if (one.pixels >= 0).any()]
    trees = _trees(tiles, numbers, date)
    found: dict[int, np.ndarray] = {}
    done: set[int] = set()
    for tile, features in _features(raw, bands, of_bands):
        tree, own_numbers = trees.get((tile.crs, last_date(tile)), (STRtree([]), []))
        for number in (own_numbers[at] for at in tree.query(outline(tile), predicate="intersects")):
            if number in done:
                continue
            pixels = tiles[number].pixels
            own = found.setdefault(number, np.full((*pixels.shape, features.shape[-1]), np.nan, np.float32))
            _paste(features, tile, own, tiles[number].tile)
            if np.isfinite(own[pixels >= 0]).all():
                yield number, pixels[pixels >= 0], found.pop(number)[pixels >= 0]
                done.add(number)
    if len(done) < len(numbers):
        raise StoreError(
            f"{raw.folder} has reflectances of {len(done)} of the {len(numbers)} labelled tiles. Delete that run and train again."
        )


def tiles_off(raw: EmbeddingStore, tiles: Sequence[StoredTile]) -> int:
    """How many tiles lie where a raw store has none."""
    grounds: dict[str, list[Polygon]] = {}
    for tile in raw.tiles:
        grounds.setdefault(tile.crs, []).append(outline(tile))
    trees = {crs: STRtree(own) for crs, own in grounds.items()}
    nowhere = STRtree([])
    return sum(
        not len(trees.get(tile.crs, nowhere).query(outline(tile), predicate="intersects")) for tile in tiles
    )


def _features(
    raw: EmbeddingStore, bands: Sequence[str], of_bands: OfBands
) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Each tile of a raw store with its features, (height_px, width_px, K)."""
    numbers = [raw.meta.bands.index(name) for name in bands]
    for tile, values, _ in raw.iterate():
        patches = values.reshape(tile.rows, -1, len(raw.meta.bands))  # (h * w, p * p, C), channel last
        yield tile, of_bands(np.stack([to_pixels(patches[..., at], tile) for at in numbers], axis=-1))


def _trees(
    tiles: Sequence[LabelledTile], numbers: Sequence[int], date: WhichDate
) -> dict[tuple[str, str | None], tuple[STRtree, list[int]]]:
    """The tiles of each CRS and date by where they lie: a tree, and the number of each of its boxes."""
    grouped: dict[tuple[str, str | None], list[int]] = {}
    for number in numbers:
        grouped.setdefault((tiles[number].tile.crs, date(tiles[number].tile)), []).append(number)
    return {
        zone: (STRtree([outline(tiles[number].tile) for number in own]), own) for zone, own in grouped.items()
    }


def _paste(values: np.ndarray, here: StoredTile, onto: np.ndarray, there: StoredTile) -> None:
    """Put pixels of one tile where they lie on another of the same pixels."""
    column, row = (round(at) for at in ~there.pixel_transform @ (here.transform[2], here.transform[5]))
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + values.shape[0], onto.shape[0]), min(column + values.shape[1], onto.shape[1])
    if bottom > top and right > left:
        onto[top:bottom, left:right] = values[top - row : bottom - row, left - column : right - column]
