"""Position taken off before a decoder learns: means of places in the window, measured once and kept with the decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from engine.errors import StoreError
from engine.files import write_atomic
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.position import PlaceMeans, in_window, place_means

# What the names of the means begin with in the file of a decoder, which holds them too.
POSITION_PREFIX = "positions."


@dataclass(frozen=True)
class Positions:
    """What the place in the window adds to the columns that a decoder reads.

    Attributes:
        means: by layer, as counted by the backbone.
    """

    means: Mapping[int, PlaceMeans]

    def note(self, store: EmbeddingStore) -> str | None:
        """What a person should know of tiles whose windows have a shape that training saw once or never."""
        kept = len(self._unknown(store))
        return (
            f"{kept} of {len(store.tiles)} tiles keep their position: windows of their shape are rare."
            if kept
            else None
        )

    def take_off(self, store: EmbeddingStore, layers: Sequence[int], features: np.ndarray) -> None:
        """Subtract the means from joined columns, in place.

        Args:
            layers: the columns in the order in which they are joined.
            features: (rows, D) in the store's dtype.

        Raises:
            StoreError: no window of the store has a shape that the means know.
        """
        unknown = self._unknown(store)
        if len(unknown) == len(store.tiles):
            raise StoreError(
                f"{store.folder} has windows of {_sides([in_window(unknown[0])[2:]])} patches, and position is known for "
                f"windows of {_sides(sorted(self._shapes))}. Extract with the tile size that the decoder was trained on, or "
                f"train with position: keep."
            )
        first = 0
        for tile in store.tiles:
            rows, start = features[first : first + tile.rows], 0
            for layer in layers:
                stop = start + store.meta.dims[store.meta.layers.index(layer)]
                values = rows[:, start:stop].reshape(tile.h, tile.w, -1)
                rows[:, start:stop] = self.means[layer].removed(tile, values).reshape(tile.rows, -1)
                start = stop
            first += tile.rows

    @property
    def _shapes(self) -> set[tuple[int, int]]:
        return set[tuple[int, int]]().union(*(found.offsets for found in self.means.values()))

    def _unknown(self, store: EmbeddingStore) -> list[StoredTile]:
        shapes = self._shapes
        return [tile for tile in store.tiles if in_window(tile)[2:] not in shapes]

    def save(self, path: Path) -> None:
        """Write the means as `tensors` has them.

        Raises:
            DiskFull: no room.
        """
        write_atomic(path, lambda temporary: temporary.write_bytes(save(self.tensors)))

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """The means as tensors (h, w, D) named `LAYER.HxW`."""
        return {
            f"{layer}.{h}x{w}": offsets
            for layer, found in self.means.items()
            for (h, w), offsets in found.offsets.items()
        }

    @classmethod
    def open(cls, path: Path) -> Positions:
        """The means in a file.

        Raises:
            StoreError: it is absent or damaged.
        """
        offsets = dict[int, dict[tuple[int, int], np.ndarray]]()
        try:
            for name, tensor in load_file(path).items():
                layer, _, shape = name.partition(".")
                h, _, w = shape.partition("x")
                offsets.setdefault(int(layer), {})[int(h), int(w)] = tensor
        except (OSError, SafetensorError, ValueError) as err:
            raise StoreError(
                f"{path} holds the means of positions that the decoder was trained without, and cannot be read "
                f"({str(err).splitlines()[0][:100]}). Train again."
            ) from err
        return cls({layer: PlaceMeans(layer, 0, 0, None, found) for layer, found in offsets.items()})


def measure_positions(
    store: EmbeddingStore, layers: Sequence[int], tiles: Sequence[int] | np.ndarray
) -> Positions:
    """The means of places over some tiles of a store, such as those that train.

    Args:
        tiles: indices into `store.tiles`.

    Raises:
        StoreError: no place in a window was seen twice, or a row is a tile.
    """
    if store.meta.granularity == "tile":
        raise StoreError(
            f"{store.folder} has one row a tile, and a tile has no place in its window. Set position: keep."
        )
    only = frozenset(store.tiles[index].id for index in tiles)
    means = {layer: place_means(store, layer, only=only) for layer in layers}
    if any(found.share is None for found in means.values()):
        raise StoreError(
            f"{store.folder} has no place in a window that two training tiles show, so that position cannot be told from "
            f"ground. Set position: keep, or extract with smaller tiles."
        )
    return Positions(means)


def _sides(shapes: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{h} x {w}" for h, w in shapes)
