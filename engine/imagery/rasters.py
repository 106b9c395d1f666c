"""Rasters of the formats that are allowed: opened once, or kept open by a thread that reads tile after tile."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import rasterio
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from engine.errors import SceneError

# The only formats opened: each holds its own pixels, none points at another file or address (as VRT does).
_JPEG2000_SIGNATURE = b"\x00\x00\x00\x0cjP"  # ISO/IEC 15444-1, annex I.5.1
# Files kept open by one reader: scenes of a few dates; of a folder of chips each is read once anyway.
_KEPT_OPEN = 8


class OpenRasters:
    """The rasters of one reading thread.

    GDAL's handles must not be shared by threads. Kept open they save what opening costs (about as much as
    reading a tile), and they remember blocks that they have unpacked, which neighbouring tiles share.
    """

    def __init__(self, kept_open: int = _KEPT_OPEN) -> None:
        self._kept_open = kept_open
        self._open: OrderedDict[Path, DatasetReader] = OrderedDict()

    def __enter__(self) -> OpenRasters:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, path: Path) -> DatasetReader:
        """The raster in a file, opened at the first call; the one not used for longest is closed.

        Raises:
            SceneError: as `open_raster`.
        """
        if path not in self._open:
            self._open[path] = _opened(path)
        self._open.move_to_end(path)
        while len(self._open) > self._kept_open:
            self._open.popitem(last=False)[1].close()
        return self._open[path]

    def close(self) -> None:
        """Close them all; those asked for afterwards are opened again."""
        while self._open:
            self._open.popitem()[1].close()


@contextmanager
def open_raster(path: Path) -> Iterator[DatasetReader]:
    """A raster of an allowed format, opened for reading.

    Raises:
        SceneError: the file is absent, of another format, damaged or truncated.
    """
    with _opened(path) as dataset:
        yield dataset


def in_short(error: Any) -> str:
    """A library's complaint on one line."""
    return " ".join(str(error).split())[:120]


def _opened(path: Path) -> DatasetReader:
    if not path.is_file():  # also refuses addresses and GDAL's virtual paths
        raise SceneError(
            f"a raster file was wanted, found nothing readable at {path}. Check the path; addresses are not opened."
        )
    try:
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_NUM_THREADS="1"):
            return rasterio.open(path, driver=_driver_of(path))
    except RasterioError as err:
        raise SceneError(
            f"a GeoTIFF or JPEG 2000 was wanted, found {path.name}, which cannot be opened ({in_short(err)}). "
            f"Export it again."
        ) from err


def _driver_of(path: Path) -> str:
    with path.open("rb") as file:
        return "JP2OpenJPEG" if file.read(len(_JPEG2000_SIGNATURE)) == _JPEG2000_SIGNATURE else "GTiff"
