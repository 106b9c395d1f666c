"""The labels of some tiles of a store as pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import StoreError
from engine.labels.sidecar import to_pixels
from engine.learning.dataset import spans_of
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore


@dataclass(frozen=True)
class LabelledTile:
    """A tile and its labels, (height_px, width_px): a class's index, or -1 where missing."""

    tile: StoredTile
    pixels: np.ndarray


def labelled_tiles(
    store: EmbeddingStore, labels: np.ndarray, indices: Sequence[int] | np.ndarray
) -> list[LabelledTile]:
    """Labels of some tiles as pixels, in the order asked.

    Args:
        labels: (rows, p * p) in the order of the store.
    """
    spans = spans_of(store)
    return [
        LabelledTile(spans[index].tile, to_pixels(labels[spans[index].rows], spans[index].tile))
        for index in indices
    ]


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
