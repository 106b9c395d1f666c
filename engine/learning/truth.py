"""The labels of some tiles of a store as pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import StoreError
from engine.labels.patches import to_pixels
from engine.learning.dataset import spans_of
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore


@dataclass(frozen=True)
class LabelledTile:
    """A tile and its labels as its task has them.

    Attributes:
        pixels: (height_px, width_px), or of a task with one label a tile (1, 1) or (1, 1, K).
    """

    tile: StoredTile
    pixels: np.ndarray


def labelled_tiles(
    store: EmbeddingStore, labels: np.ndarray, indices: Sequence[int] | np.ndarray, is_per_tile: bool = False
) -> list[LabelledTile]:
    """Labels of some tiles as pixels, in the order asked.

    Args:
        labels: (rows, L) in the order of the store.
        is_per_tile: whether a tile has one label, and not each of its pixels.
    """
    spans = spans_of(store)
    return [
        LabelledTile(spans[index].tile, on_tile(labels[spans[index].rows], spans[index].tile, is_per_tile))
        for index in indices
    ]


def on_tile(rows: np.ndarray, tile: StoredTile, is_per_tile: bool) -> np.ndarray:
    """Labels of a tile's rows where they lie: its pixels (height_px, width_px), or of a whole tile (1, 1) or (1, 1, K)."""
    if not is_per_tile:
        return to_pixels(rows, tile)
    return rows if rows.shape[1] == 1 else rows[None]


def indices_of(store: EmbeddingStore, tile_ids: Sequence[str]) -> list[int]:
    """Indices into `store.tiles` of some tile ids.

    Raises:
        StoreError: the store lacks one.
    """
    index_of = {tile.id: index for index, tile in enumerate(store.tiles)}
    absent = [name for name in tile_ids if name not in index_of]
    if absent:
        raise StoreError(
            f"{store.folder} lacks {len(absent)} of the {len(tile_ids)} tiles that the training used ({absent[0]}, ...). "
            f"Use the store that it was trained on."
        )
    return [index_of[name] for name in tile_ids]
