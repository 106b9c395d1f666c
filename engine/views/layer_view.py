"""A layer of a store as pictures show it: position taken off, and averaged over the ground around each patch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.neighbourhood_mean import neighbourhood_mean, usual_window
from engine.views.position import PlaceMeans, Position, places_to_remove
from engine.views.surroundings import Surroundings
from engine.views.whole_windows import Windows, rows_to_fit


@dataclass(frozen=True)
class LayerView:
    """What is drawn of a layer, and what fits are made on.

    Attributes:
        store: at the layer's own patches (`EmbeddingStore.at_own_patches`), so that rows and tiles are of these.
        layer: as counted by the backbone.
        window: patches along a side of the neighbourhood whose mean is shown (odd); 1: the patches themselves.
        places: means of places in the window that are taken off; None: position is kept.
        windows: which rows fits are made on.
    """

    store: EmbeddingStore
    layer: int
    window: int = 1
    places: PlaceMeans | None = None
    windows: Windows = "whole"

    @property
    def position(self) -> Position:
        """Whether position is kept or taken off."""
        return "keep" if self.places is None else "remove"

    @property
    def tags(self) -> dict[str, str]:
        """What a file made of it says."""
        position = "kept"
        if self.places is not None:
            position = f"taken off (means of each place over {self.places.windows} windows)"
        return {
            "EMBERSCOPE_POSITION": position,
            "EMBERSCOPE_FITTED_ON": "all rows" if self.fitted[1] == "all" else "rows of whole windows",
        }

    @cached_property
    def fitted(self) -> tuple[np.ndarray, Windows]:
        """(rows,) bool of the rows that fits are made on, and which they are."""
        return rows_to_fit(self.store, self.windows)

    def tiles(self, step: int = 1) -> Iterator[tuple[StoredTile, np.ndarray, np.ndarray]]:
        """Tile by tile: the tile, what is shown (h, w, D) and valid_fraction (h, w).

        Args:
            step: every so many tiles; others are not read unless they lie beside one.
        """
        if self.window == 1 and step == 1:
            for tile, values, valid in self.store.iterate(self.layer):
                yield tile, self._shown(tile, values), valid
            return
        yield from ((tile, *self.read_tile(tile)) for tile in self.store.tiles[::step])

    def read_tile(self, tile: StoredTile) -> tuple[np.ndarray, np.ndarray]:
        """What is shown of one tile (h, w, D), and its valid_fraction (h, w)."""
        if self.window == 1:
            return self._read(tile)
        means = neighbourhood_mean(*self._surroundings.around(tile), self.window)
        reach = self.window // 2
        return means[reach : reach + tile.h, reach : reach + tile.w], self._valid[tile.id]

    def rows(self, numbers: Sequence[int]) -> np.ndarray:
        """(n, D) float32 of what is shown of some rows of the store, in their order; only their tiles are read.

        Raises:
            StoreError: a row that the store does not have.
        """
        ends = np.cumsum([tile.rows for tile in self.store.tiles])
        dim = self.store.meta.dims[self.store.meta.layers.index(self.layer)]
        found = np.empty((len(numbers), dim), np.float32)
        if len(numbers) and not 0 <= min(numbers) <= max(numbers) < int(ends[-1]):
            raise StoreError(f"{self.store.folder} has {int(ends[-1]):,} rows. Choose patches among them.")
        of_tile = np.searchsorted(ends, numbers, side="right")
        for number in np.unique(of_tile):
            tile = self.store.tiles[number]
            values, _ = self.read_tile(tile)
            here = np.flatnonzero(of_tile == number)
            found[here] = values.reshape(-1, dim)[np.asarray(numbers)[here] - (int(ends[number]) - tile.rows)]
        return found

    def tiles_to_fit(self, step: int = 1) -> Iterator[np.ndarray]:
        """Tile by tile, (n, D): the rows that fits are made on, of every so many tiles."""
        counts = self._by_tile(self.fitted[0])
        for tile, values, _ in self.tiles(step):
            is_counted = counts[tile.id]
            yield values.reshape(-1, values.shape[-1]) if is_counted.all() else values[is_counted]

    @cached_property
    def _surroundings(self) -> Surroundings:
        dim = self.store.meta.dims[self.store.meta.layers.index(self.layer)]
        largest = max(tile.rows for tile in self.store.tiles) * dim * 4
        return Surroundings(self.store, self._read, self.window // 2, largest)

    def _read(self, tile: StoredTile) -> tuple[np.ndarray, np.ndarray]:
        """A tile without its surroundings."""
        return self._shown(tile, self.store.read_tile(tile.id, self.layer)), self._valid[tile.id]

    @cached_property
    def _valid(self) -> dict[str, np.ndarray]:
        return self.valid_by_tile()

    def _shown(self, tile: StoredTile, values: np.ndarray) -> np.ndarray:
        return values if self.places is None else self.places.removed(tile, values)

    def valid_by_tile(self) -> dict[str, np.ndarray]:
        """Tile id -> valid_fraction (h, w)."""
        return self._by_tile(self.store.read_valid_fraction())

    def _by_tile(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Tile id -> (h, w) of what is known of each row."""
        ends = np.cumsum([tile.rows for tile in self.store.tiles])[:-1]
        return {
            tile.id: part.reshape(tile.h, tile.w)
            for tile, part in zip(self.store.tiles, np.split(rows, ends), strict=True)
        }


def view_of(
    store: EmbeddingStore,
    layer: int | None = None,
    window: int | None = None,
    position: Position = "keep",
    windows: Windows = "whole",
) -> LayerView:
    """The view of a layer, at its own resolution also where the store has coarser rows.

    Args:
        layer: as counted by the backbone; None: the store's first.
        window: patches along a side (odd); None: as many as make about 16 pixels.

    Raises:
        StoreError: no such layer, an even window, or position that cannot be told from ground.
    """
    number = store.meta.layers[store.meta.columns.index(store.column(layer))]
    own = store.at_own_patches(number)
    side = usual_window(own) if window is None else window
    if side < 1 or side % 2 == 0:
        raise StoreError(f"The window is {side} patches; it is odd: 1, 3, 5 ... Choose another.")
    return LayerView(own, number, side, places_to_remove(own, number, position), windows)
