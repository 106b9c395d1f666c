"""TESSERA's NPY files on another computer: of numbers and scales the rows that a region needs, of the land mask all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.lib import format as npy_format

from engine.errors import RemoteError
from engine.imagery.region import Region
from engine.imagery.remote.fetching import cached
from engine.imagery.remote.remote_file import RemoteFile, forget_failure, raise_failure
from engine.store.catalogues.lists.listed import ListedFile, ListedItem
from engine.store.catalogues.remote_files.cog import here
from engine.store.catalogues.remote_files.placed import Bytes, Placed, Ranges
from engine.store.products.pixel_grid import Box, PixelGrid, box_of
from engine.store.products.tessera_npy import mask_grid, pixel_grid, require_shapes

# Rows are fetched whole where the region takes this share of their width: no more than 1.3 times of what is needed comes.
_WHOLE_ROWS = 0.77


@dataclass(frozen=True)
class _Array:
    """An NPY file whose header was read.

    Attributes:
        first: of its bytes the first that holds numbers.
    """

    file: ListedFile
    shape: tuple[int, ...]
    dtype: np.dtype
    first: int

    @property
    def pixel_bytes(self) -> int:
        """Of one pixel."""
        return int(np.prod(self.shape[2:], dtype=int)) * self.dtype.itemsize

    def row_ranges(self, box: Box) -> list[tuple[int, int]]:
        """The bytes of each row of a box."""
        size, width = self.pixel_bytes, self.shape[1]
        starts = [self.first + (row * width + box.left) * size for row in range(box.top, box.bottom)]
        return [(start, start + (box.right - box.left) * size) for start in starts]

    def needed(self, box: Box) -> Bytes:
        """What is fetched for a box: the whole file where its checksum is known."""
        if self.file.sha256:
            return Bytes(self.file.raster, ((0, cached(self.file.raster).size),))
        rows = self.row_ranges(box)
        is_wide = box.right - box.left >= _WHOLE_ROWS * self.shape[1]
        ranges: Ranges = ((rows[0][0], rows[-1][1]),) if is_wide else tuple(rows)
        return Bytes(self.file.raster, ranges)

    def read(self, box: Box) -> np.ndarray:
        """(h, w, ...) numbers of a box."""
        rows = self.row_ranges(box)
        forget_failure()
        content = RemoteFile(self.file.raster).get_byte_ranges(
            [start for start, _ in rows], [end - start for start, end in rows]
        )
        raise_failure()
        shape = (box.bottom - box.top, box.right - box.left, *self.shape[2:])
        return np.frombuffer(b"".join(content), self.dtype).reshape(shape)


def placed_npy(item: ListedItem, region: Region) -> Placed:
    """The pixels of a tile that a region takes.

    Raises:
        RegionError: they do not overlap.
        RemoteError: a file of it cannot be had, or is no NPY.
        StoreError: numbers, scales and land mask do not fit together.
    """
    values, scales = _array(item.files[0]), _array(item.files[1])
    require_shapes(values.shape, values.dtype, scales.shape, item.files[0].name, item.files[1].name)
    mask = item.files[2]
    grid = mask_grid(here(mask), mask.name, item.files[0].name, values.shape[:2])
    box = box_of(grid, region, item.id)
    size = cached(mask.raster).size
    needed = (values.needed(box), scales.needed(box), Bytes(mask.raster, ((0, size),)))
    return Placed(item, grid, box, box.rows, values.shape[2], needed)


@contextmanager
def opened_npy(item: ListedItem) -> Iterator[PixelGrid]:
    """The embeddings of a tile, read where they lie; what is in the cache is not fetched again.

    Raises:
        As `placed_npy`.
    """
    values, scales = _array(item.files[0]), _array(item.files[1])
    mask = item.files[2]
    grid = mask_grid(here(mask), mask.name, item.files[0].name, values.shape[:2])
    yield pixel_grid(grid, values.shape[2], values.read, scales.read)


def _array(file: ListedFile) -> _Array:
    forget_failure()
    reading = RemoteFile(file.raster)
    try:
        version = npy_format.read_magic(reading)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, is_fortran, dtype = read(reading)
    except (ValueError, EOFError) as err:
        raise_failure()
        raise RemoteError(
            f"{file.name} cannot be read as NPY ({' '.join(str(err).split())[:80]}). Tell its publisher, or choose another catalogue."
        ) from err
    raise_failure()
    if is_fortran or dtype.hasobject:
        raise RemoteError(
            f"{file.name} is an NPY file of another order or of Python objects. Choose another catalogue."
        )
    return _Array(file, tuple(shape), dtype, reading.tell())
