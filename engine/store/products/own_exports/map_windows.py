"""Tiles read out of the maps that hold them: each map is opened once, and tiles beside each other are read together.

A block of a map with a thousand bands is 256 MB unpacked, more than GDAL keeps: read tile by tile, each tile unpacks it again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window

from engine.errors import StoreError
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.store.products.decoding import Decoding, decoding_named
from engine.store.products.own_exports.tags import DECODING
from engine.store.schema import StoredTile

# Windows that are read at once: their stored bytes and longest side. So many of a map stay in memory.
_WINDOW_BYTES, _MOST_SIDE, _KEPT = 64_000_000, 512, 2


def read_tiles(
    tiles: Sequence[StoredTile], files: Mapping[str, Path]
) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Map after map, the tiles of each in their order, with (h, w, D) float32 of their patches, NaN for gaps.

    Args:
        files: the map of each tile, by its id.

    Raises:
        SceneError: a map is damaged.
        StoreError: it lacks a tile.
    """
    by_file: dict[Path, list[StoredTile]] = {}
    for tile in tiles:
        by_file.setdefault(files[tile.id], []).append(tile)
    for path, chosen in by_file.items():
        with open_raster(path) as dataset:
            windows, decoding = _Windows(dataset, path), _decoding(dataset)
            for tile in chosen:
                yield tile, _decoded(windows.read(tile), decoding, dataset.nodata)


def _decoding(dataset: DatasetReader) -> Decoding:
    """The formula that a map names, or its scales."""
    return decoding_named(dataset.tags().get(DECODING.upper(), ""), dataset.scales, dataset.offsets)


def _decoded(numbers: np.ndarray, decoding: Decoding, nodata: float | None) -> np.ndarray:
    values = decoding.decode(numbers)
    if nodata is not None and np.isfinite(nodata):
        values[(numbers == nodata).all(axis=-1)] = np.nan
    return values


class _Windows:
    """The windows of a map that were read last."""

    def __init__(self, dataset: DatasetReader, path: Path) -> None:
        self._dataset, self._path = dataset, path
        cell_bytes = dataset.count * np.dtype(dataset.dtypes[0]).itemsize
        self._side = min(_MOST_SIDE, max(1, int((_WINDOW_BYTES / cell_bytes) ** 0.5)))
        self._kept: OrderedDict[tuple[int, int, int, int], np.ndarray] = OrderedDict()

    def read(self, tile: StoredTile) -> np.ndarray:
        """(h, w, D) stored numbers of the cells nearest to a tile's patches.

        Raises:
            SceneError: the map is damaged.
            StoreError: it does not reach over the tile.
        """
        top, left = self._corner(tile)
        first_row, last_row = self._around(top, tile.h)
        first_column, last_column = self._around(left, tile.w)
        window = first_row, first_column, last_row, last_column
        if window not in self._kept:
            while len(self._kept) >= _KEPT:
                self._kept.popitem(last=False)
            self._kept[window] = self._bands_last(window, tile)
        self._kept.move_to_end(window)
        row, column = top - first_row, left - first_column
        return self._kept[window][row : row + tile.h, column : column + tile.w]

    def _corner(self, tile: StoredTile) -> tuple[int, int]:
        """Row and column of a tile's north-west patch."""
        column, row = ~self._dataset.transform @ (tile.patch_transform.c, tile.patch_transform.f)
        row, column = round(row), round(column)
        height, width = self._dataset.shape
        if row < 0 or column < 0 or row + tile.h > height or column + tile.w > width:
            raise StoreError(f"{self._path.name} does not reach over the tile {tile.id}. Export it again.")
        return row, column

    def _around(self, first: int, count: int) -> tuple[int, int]:
        """Begin and end, in one direction, of the window that is read for a tile: of whole tiles, or the tile's own."""
        side = max(1, self._side // count) * count
        begin = first // side * side
        return (begin, begin + side) if first + count <= begin + side else (first, first + count)

    def _bands_last(self, window: tuple[int, int, int, int], tile: StoredTile) -> np.ndarray:
        top, left, bottom, right = window
        bottom, right = min(bottom, self._dataset.height), min(right, self._dataset.width)
        with damage_told(self._path, f"the tile {tile.id}"):
            numbers = self._dataset.read(window=Window(left, top, right - left, bottom - top))
        return np.moveaxis(numbers, 0, -1)
