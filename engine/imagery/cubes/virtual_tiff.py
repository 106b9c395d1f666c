"""A cube as GDAL reads it: a TIFF that is nowhere written, whose blocks are windows of the cube.

So cubes go through the one way to read pixels, and GDAL's own netCDF driver, which opens addresses and other files, is not
needed. Bands count through the bands of the first date, then of the second, and so on. The header is GDAL's own, of an empty
BigTIFF; only its table of blocks is replaced (BigTIFF design, libtiff; TIFF 6.0, section 15).
"""

from __future__ import annotations

import math
import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from rasterio.crs import CRS
from rasterio.io import MemoryFile

from engine.errors import EngineError, SceneError
from engine.imagery.cubes.cube import Cube
from engine.imagery.cubes.opening import changed_ns, cube_of
from engine.imagery.one_file import OneFile
from engine.imagery.remote.remote_file import keep_failure

_TILE_OFFSETS, _TILE_BYTE_COUNTS, _LONG8 = 324, 325, 16
# Sides of blocks; a TIFF's are multiples of 16.
_LEAST_PX, _MOST_PX, _STEP_PX = 64, 512, 16
_MOST_BANDS = 4096
_KEPT_BLOCKS = 4


@dataclass(frozen=True)
class Layout:
    """Where blocks lie in the file that is nowhere written.

    Attributes:
        header: its first bytes.
        start: of the first block.
        block: rows and columns.
        across, down: blocks of a band.
    """

    header: bytes
    start: int
    block: tuple[int, int]
    across: int
    down: int
    block_bytes: int
    size: int


@lru_cache(maxsize=8)
def _layout(path: Path, modified_ns: int) -> Layout:
    del modified_ns
    cube = cube_of(path)
    count = cube.images * len(cube.bands)
    if count > _MOST_BANDS:
        raise SceneError(
            f"{path.name} has {cube.images} dates of {len(cube.bands)} bands, and at most {_MOST_BANDS} images are read of one file. "
            f"Write fewer dates a file."
        )
    height, width = (block_side(side, cube.opened.ahead is not None) for side in cube.chunk)
    down, across = -(-cube.shape[0] // height), -(-cube.shape[1] // width)
    blocks, block_bytes = count * down * across, height * width * cube.dtype.itemsize
    header, start = _with_blocks(_empty_tiff(cube, count, (height, width)), blocks, block_bytes)
    return Layout(header, start, (height, width), across, down, block_bytes, start + blocks * block_bytes)


def block_side(chunk: int, is_away: bool = False) -> int:
    """The largest side up to the limit that holds whole chunks, so that none is unpacked for two blocks; else about a chunk.

    Args:
        is_away: chunks come over a network: the smallest such side, so that few come that are not asked for.
    """
    whole = math.lcm(chunk, _STEP_PX)
    if whole <= _MOST_PX:
        most = 1 if is_away else _MOST_PX // 2 // whole
        return max(most, -(-_LEAST_PX // whole)) * whole
    return min(_MOST_PX, max(_LEAST_PX, -(-chunk // _STEP_PX) * _STEP_PX))


def _empty_tiff(cube: Cube, count: int, block: tuple[int, int]) -> bytes:
    """The TIFF that GDAL writes for the cube's grid and bands, without a block in it."""
    fills = {band.nodata[:1] for band in cube.bands}
    nodata = next(iter(fills)) if len(fills) == 1 else ()
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", height=cube.shape[0], width=cube.shape[1], count=count, dtype=cube.dtype.name,
            crs=CRS.from_wkt(cube.crs), transform=cube.transform, nodata=nodata[0] if nodata else None, tiled=True,
            blockysize=block[0], blockxsize=block[1], interleave="band", SPARSE_OK=True, BIGTIFF="YES", photometric="MINISBLACK",
        ) as dataset:  # fmt: skip
            dataset.descriptions = [band.name for band in cube.bands] * cube.images
            dataset.scales = [band.scale for band in cube.bands] * cube.images
            dataset.offsets = [band.offset for band in cube.bands] * cube.images
        return bytes(memory.read())


def _with_blocks(tiff: bytes, blocks: int, block_bytes: int) -> tuple[bytes, int]:
    """The same header with a table of blocks that follow it, one after the other, and where the first begins."""
    header = bytearray(tiff) + bytes(-len(tiff) % 8)
    table = len(header)
    start = table + 16 * blocks
    header += (start + block_bytes * np.arange(blocks, dtype="<u8")).astype("<u8").tobytes()
    header += np.full(blocks, block_bytes, "<u8").tobytes()
    (directory,) = struct.unpack_from("<Q", header, 8)
    (entries,) = struct.unpack_from("<Q", header, directory)
    for entry in range(directory + 8, directory + 8 + 20 * entries, 20):
        (tag,) = struct.unpack_from("<H", header, entry)
        if tag in (_TILE_OFFSETS, _TILE_BYTE_COUNTS):
            is_second = tag == _TILE_BYTE_COUNTS
            where = table + 8 * blocks * is_second
            alone = block_bytes if is_second else start  # one value stands in the entry itself
            struct.pack_into("<HHQQ", header, entry, tag, _LONG8, blocks, where if blocks > 1 else alone)
    return bytes(header), start


def cube_as_file(path: Path) -> OneFile:
    """What GDAL opens a cube with.

    Raises:
        SceneError: it cannot be read as a cube, or has too many bands and dates.
    """
    cube, layout = cube_of(path), _layout(path, changed_ns(path))
    return OneFile(path.name, lambda: CubeFile(cube, layout))


class CubeFile:
    """One reading of a cube. GDAL calls it from C, where an exception would be lost: failures are kept and raised later."""

    def __init__(self, cube: Cube, layout: Layout) -> None:
        self._cube, self._layout, self._at = cube, layout, 0
        self.size = layout.size
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def __enter__(self) -> CubeFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The cube stays open for the next."""

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self.size)[whence] + offset
        return self._at

    def read(self, count: int = -1) -> bytes:
        end = self.size if count < 0 else min(self._at + count, self.size)
        content = self._told(lambda: self._content(self._at, end))
        self._at += len(content)
        return content

    def get_byte_ranges(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        self._told(lambda: self._ahead(offsets, sizes))
        return [
            self._told(lambda: self._content(start, min(start + size, self.size))).ljust(size, b"\0")  # noqa: B023, called here
            for start, size in zip(offsets, sizes, strict=True)
        ]

    def _told(self, content: Callable[[], bytes]) -> bytes:
        """The content, or nothing after a failure, which is kept for `raise_failure`."""
        try:
            return content()
        except EngineError as err:
            keep_failure(err)
        except (OSError, ValueError, KeyError, RuntimeError, TypeError) as err:
            why = " ".join(str(err).split())[:120]
            keep_failure(
                SceneError(
                    f"{self._cube.path.name} is damaged or cut short ({why}). Copy or download the file again."
                )
            )
        return b""

    def _content(self, start: int, end: int) -> bytes:
        layout = self._layout
        parts = [layout.header[start:end]] if start < layout.start else []
        at = max(start, layout.start)
        while at < end:
            number, within = divmod(at - layout.start, layout.block_bytes)
            part = self._block(number)[within : within + end - at]
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def _ahead(self, offsets: Sequence[int], sizes: Sequence[int]) -> bytes:
        """Bring what some ranges of bytes hold, before they are read one after another."""
        layout = self._layout
        if self._cube.opened.ahead is not None:
            numbers = {
                number
                for start, size in zip(offsets, sizes, strict=True)
                for number in range(
                    max(0, start - layout.start) // layout.block_bytes,
                    -(-max(0, min(start + size, self.size) - layout.start) // layout.block_bytes),
                )
            }
            self._cube.ahead([self._place(number) for number in sorted(numbers)])
        return b""

    def _place(self, number: int) -> tuple[int, int, slice, slice]:
        """Image, band, rows and columns of a block."""
        layout, cube = self._layout, self._cube
        band, place = divmod(number, layout.across * layout.down)
        (height, width), (down, across) = layout.block, divmod(place, layout.across)
        rows = slice(down * height, min((down + 1) * height, cube.shape[0]))
        columns = slice(across * width, min((across + 1) * width, cube.shape[1]))
        return *divmod(band, len(cube.bands)), rows, columns

    def _block(self, number: int) -> bytes:
        """A block's pixels, filled up beyond the cube."""
        if number not in self._kept:
            layout, cube = self._layout, self._cube
            found = cube.read(*self._place(number))
            block = np.zeros(layout.block, cube.dtype.newbyteorder("<"))
            block[: found.shape[0], : found.shape[1]] = found
            self._kept[number] = block.tobytes()
        self._kept.move_to_end(number)
        while len(self._kept) > _KEPT_BLOCKS:
            self._kept.popitem(last=False)
        return self._kept[number]
