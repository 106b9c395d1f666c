"""The rows of TerraTorch's chips, read chip by chip from where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.store.cells import folded
from engine.store.parts import StorePart
from engine.store.products.terratorch.chip_files import ChipFile
from engine.store.products.terratorch.chip_values import ChipReader
from engine.store.products.terratorch.patch_layout import PatchLayout
from engine.store.schema import StoredTile, StoreMeta, TileRows, stored_tile

Chips = Mapping[int, ChipFile]


def chip_rows(
    reader: ChipReader, chips: Chips, layer: int, tile: StoredTile, dim: int, cells: int
) -> np.ndarray:
    """(h * w, D) rows of a layer of a chip; NaN in gaps.

    Args:
        chips: of the layers.
        dim: numbers of a row, those of all its cells.
        cells: patches of the layer along a side of a row.

    Raises:
        StoreError: the chip has other patches than the first one.
    """
    values = reader.read(layer, chips[layer])
    if values.shape != (tile.h * cells, tile.w * cells, dim // cells**2):
        raise StoreError(
            f"{chips[layer].path.name} of {chips[layer].path.parent.name} has {values.shape[0]} x {values.shape[1]} patches of {values.shape[2]} "
            f"numbers, and {tile.h * cells} x {tile.w * cells} of {dim // cells**2} are expected, as in the first chip. Give chips of one kind."
        )
    return folded(values, cells)


def tiles_of_chips(
    reader: ChipReader,
    chips: Sequence[Chips],
    tiles: Sequence[StoredTile],
    dims: Mapping[int, int],
    cells: Mapping[int, int],
) -> Iterator[TileRows]:
    """The tiles of a store; a row that lacks an embedding in one layer is a gap.

    Args:
        chips: of each tile.
        dims, cells: of each layer.
    """
    for own, tile in zip(chips, tiles, strict=True):
        layers = [chip_rows(reader, own, layer, tile, dims[layer], cells[layer]) for layer in dims]
        has_all = np.logical_and.reduce([np.isfinite(flat).all(axis=1) for flat in layers])
        for flat in layers:
            flat[~has_all] = 0
        yield TileRows(tile, tuple(layers), has_all.astype(np.float32))


class ChipRows:
    """The rows of one chip in each layer; which of them are gaps is remembered, the numbers are not."""

    def __init__(self, reader: ChipReader, chips: Chips, tile: StoredTile, meta: StoreMeta) -> None:
        """Nothing is read yet."""
        self._reader, self._chips, self._tile, self._meta = reader, chips, tile, meta
        self._valid: dict[int, np.ndarray] = {}

    def fill(self, column: str, first: int, rows: np.ndarray) -> None:
        """Read consecutive rows into (n, D).

        Raises:
            StoreError: the chip is damaged or gone, or has other patches than the first one.
            SceneError: its GeoTIFF is damaged or gone.
        """
        found = self._of(self._meta.columns.index(column))
        found[self.valid_fraction() == 0] = 0
        rows[:] = found[first : first + len(rows)]

    def valid_fraction(self) -> np.ndarray:
        """(rows,) float32, 0 or 1: whether a row has its embedding in all layers."""
        for index in range(len(self._meta.layers)):
            if index not in self._valid:
                self._of(index)
        return np.logical_and.reduce(list(self._valid.values())).astype(np.float32)

    def _of(self, index: int) -> np.ndarray:
        meta = self._meta
        cells = meta.cells[index] if meta.cells else 1
        rows = chip_rows(self._reader, self._chips, meta.layers[index], self._tile, meta.dims[index], cells)
        self._valid[index] = np.isfinite(rows).all(axis=1)
        return rows


def chips_told(path: Path, chips: Sequence[Chips], layouts: Mapping[int, PatchLayout]) -> dict[str, Any]:
    """What a reader must know to read the same chips again; paths are those below the folder that was opened."""
    folder = path.parent if path.is_file() else path
    return {
        "kind": "chips",
        "layers": list(chips[0]),
        "chips": [
            [[str(one.path.relative_to(folder)), one.row] for one in own.values()] for own in chips
        ],
        "layouts": {
            str(layer): [one.order, list(one.shape), one.h, one.w, one.left_out] for layer, one in layouts.items()
        },
    }  # fmt: skip


def chip_parts(path: Path, meta: StoreMeta, told: Mapping[str, Any]) -> tuple[StorePart, ...]:
    """A part a chip.

    Args:
        told: as `chips_told` leaves it in `Taken.in_place`, with the tiles.
    """
    folder = path.parent if path.is_file() else path
    reader = ChipReader({
        int(layer): PatchLayout(order, tuple(shape), h, w, left_out)
        for layer, (order, shape, h, w, left_out) in told["layouts"].items()
    })  # fmt: skip
    parts = []
    for own, tree in zip(told["chips"], told["tiles"], strict=True):
        chips = {
            int(layer): ChipFile(folder / name, row)
            for layer, (name, row) in zip(told["layers"], own, strict=True)
        }
        tile = stored_tile(tree)
        parts.append(
            StorePart(chips[int(told["layers"][0])].path, (tile,), ChipRows(reader, chips, tile, meta))
        )
    return tuple(parts)
