"""Seams: whether embeddings jump where two tiles meet, more than they do inside the tiles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.layer_view import LayerView
from engine.views.position import PlaceMeans

# Pairs of neighbours that are looked at in a large store, evenly chosen.
MOST_PAIRS = 256
# Tiles kept for their next pair, for neighbours stand near one another in a store.
_KEPT_BYTES = 32_000_000
# Tiles whose corners differ by less (metres) meet.
_MEET_M = 0.01


def layer_seams(store: EmbeddingStore) -> dict[str, float | None]:
    """Layer -> its seam score, to four digits; empty with one row a tile."""
    if store.meta.granularity == "tile":
        return {}
    scores = {layer: seam_score(store, layer) for layer in store.meta.layers}
    return {str(layer): None if score is None else round(score, 4) for layer, score in scores.items()}


def seam_score(
    store: EmbeddingStore,
    layer: int | None = None,
    most_pairs: int = MOST_PAIRS,
    places: PlaceMeans | None = None,
) -> float | None:
    """The seam score of the embeddings of a layer; see `shown_seam_score`.

    Args:
        layer: as counted by the backbone; None: the first column.
        places: means of places in the window that are taken off before, as a view has them.
    """
    number = store.meta.layers[store.meta.columns.index(store.column(layer))]
    return shown_seam_score(LayerView(store.at_own_patches(number), number, 1, places), most_pairs)


def shown_seam_score(view: LayerView, most_pairs: int = MOST_PAIRS) -> float | None:
    """Mean step across the borders of tiles over the mean step inside them: 1 where no border can be told.

    A step is the Euclidean distance between what is shown of two rows that lie side by side and are valid
    all over. Only the tiles of the chosen pairs are read.

    Args:
        most_pairs: neighbouring tiles to look at; the score of a larger store is that of a sample.

    Returns:
        None where tiles have no neighbours, or no step inside (one row a tile, constant embeddings).
    """
    store = view.store
    pairs = list(_pairs(store.tiles))
    if len(pairs) > most_pairs:
        pairs = [pairs[index] for index in np.linspace(0, len(pairs) - 1, most_pairs).astype(int)]
    valid = _Validity(store)
    across, inside, looked_at = _Mean(), _Mean(), set[str]()
    largest = max((tile.rows for tile in store.tiles), default=1) * max(store.meta.dims) * 4

    @lru_cache(maxsize=max(2, _KEPT_BYTES // largest))
    def read(tile: StoredTile) -> tuple[np.ndarray, np.ndarray]:
        values, is_full = view.read_tile(tile)[0].astype(np.float32), valid.of(tile)
        if tile.id not in looked_at:
            looked_at.add(tile.id)
            inside.add(values[:-1], values[1:], is_full[:-1] & is_full[1:])
            inside.add(values[:, :-1], values[:, 1:], is_full[:, :-1] & is_full[:, 1:])
        return values, is_full

    for first, second, is_below in pairs:
        (here, here_full), (there, there_full) = read(first), read(second)
        if is_below:
            across.add(here[-1], there[0], here_full[-1] & there_full[0])
        else:
            across.add(here[:, -1], there[:, 0], here_full[:, -1] & there_full[:, 0])
    if not across.count or not inside.total:
        return None
    return float(across.mean / inside.mean)


class _Mean:
    """Mean length of steps, counted before it is divided."""

    def __init__(self) -> None:
        self.total, self.count = 0.0, 0

    @property
    def mean(self) -> float:
        return self.total / self.count

    def add(self, here: np.ndarray, there: np.ndarray, counts: np.ndarray) -> None:
        """Steps between (..., D) and (..., D), where (...) bool says so."""
        steps = np.linalg.norm(there[counts] - here[counts], axis=-1)
        self.total += float(steps.sum(dtype=np.float64))
        self.count += len(steps)


class _Validity:
    """Which rows of a tile are valid all over, (h, w) bool."""

    def __init__(self, store: EmbeddingStore) -> None:
        self._share = store.read_valid_fraction()
        ends = np.cumsum([tile.rows for tile in store.tiles])
        self._first = {tile.id: int(end) - tile.rows for tile, end in zip(store.tiles, ends, strict=True)}

    def of(self, tile: StoredTile) -> np.ndarray:
        first = self._first[tile.id]
        return (self._share[first : first + tile.rows] == 1).reshape(tile.h, tile.w)


def _pairs(tiles: tuple[StoredTile, ...]) -> Iterator[tuple[StoredTile, StoredTile, bool]]:
    """Tiles of one date that share a full side: the first one, its eastern or southern neighbour, which."""
    corner = {(tile.crs, tile.datetimes, *_place(tile, 0, 0)): tile for tile in tiles}
    for tile in tiles:
        for across, down in ((1, 0), (0, 1)):
            other = corner.get((tile.crs, tile.datetimes, *_place(tile, across, down)))
            if other is not None and _side(tile, down) == _side(other, down):
                yield tile, other, bool(down)


def _side(tile: StoredTile, down: int) -> tuple[int, int]:
    """Patches and pixels along the side that a tile shares with the tile below, or to the east."""
    return (tile.w, tile.width_px) if down else (tile.h, tile.height_px)


def _place(tile: StoredTile, across: int, down: int) -> tuple[int, int]:
    """Corner of the tile so many tiles to the east and south, in units of `_MEET_M`."""
    x, y = tile.pixel_transform @ (across * tile.width_px, down * tile.height_px)
    return round(x / _MEET_M), round(y / _MEET_M)
