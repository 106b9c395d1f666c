"""Rasters of the formats that are allowed: opened once, or kept open by a thread that reads tile after tile."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from engine.errors import EngineError, SceneError
from engine.imagery.raster import remote_raster
from engine.imagery.remote.remote_file import forget_failure, raise_failure

# The only formats opened: each holds its own pixels, none points at another file or address (as VRT does).
_JPEG2000_SIGNATURE = b"\x00\x00\x00\x0cjP"  # ISO/IEC 15444-1, annex I.5.1
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # classic and BigTIFF, both byte orders
# What a GDAL side-car (.aux.xml) names other files by.
_POINTING = (b"overview_file", b"sourcefilename", b"sourcedataset", b"<!entity", b"<!doctype")
_LONGEST_SIDE_CAR = 4_000_000
# Metadata domain in which a raster names a file of overviews, at any path or address (GDALDefaultOverviews).
_POINTING_DOMAIN = "OVERVIEWS"
# Side-cars that are rasters, in both spellings that GDAL looks for.
_RASTER_ENDINGS = (".ovr", ".OVR", ".msk", ".MSK")
# Files kept open by one reader: those of a scene with a file a band, or of a few dates; of a folder of chips each is read once anyway.
_KEPT_OPEN = 40


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
            remote_raster.close(self._open.popitem(last=False)[1])
        return self._open[path]

    def get_all(self, paths: Sequence[Path]) -> list[DatasetReader]:
        """The rasters in some files, fewer than are kept open; headers that come over the network come side by side.

        Raises:
            SceneError: as `open_raster`.
        """
        remote_raster.begin([path for path in paths if path not in self._open])
        return [self.get(path) for path in paths]

    def close(self) -> None:
        """Close them all; those asked for afterwards are opened again."""
        while self._open:
            remote_raster.close(self._open.popitem()[1])


@contextmanager
def open_raster(path: Path) -> Iterator[DatasetReader]:
    """A raster of an allowed format, opened for reading, with the side-cars that GDAL knows.

    Raises:
        SceneError: the file is absent, of another format, damaged or truncated, or a side-car points elsewhere.
    """
    dataset = _opened(path)
    try:
        yield dataset
    finally:
        remote_raster.close(dataset)


@contextmanager
def damage_told(path: Path, where: str) -> Iterator[None]:
    """Inside it, what GDAL throws while pixels are read becomes one line for a person.

    Args:
        where: the part that is read, such as "tile epsg32618_20m_64px_3_4".

    Raises:
        SceneError: the file is damaged or cut short.
        RemoteError: it lies on another computer and cannot be had.
    """
    forget_failure()
    try:
        yield
        raise_failure()
    except (RasterioError, CPLE_BaseError) as err:
        raise_failure()
        raise SceneError(
            f"{path.name} is damaged or cut short: {where} cannot be read ({in_short(err.__cause__ or err)}). "
            f"Copy or download the file again."
        ) from err


def in_short(error: Any) -> str:
    """A library's complaint on one line."""
    return " ".join(str(error).split())[:120]


@contextmanager
def shown_raster(path: Path) -> Iterator[DatasetReader]:
    """A raster that this installation has understood before, opened to be shown: without looking at it again.

    Raises:
        RasterioError: it went away or is damaged.
        OSError: it lies on another computer and cannot be had.
    """
    try:
        dataset = remote_raster.opened(path) if remote_raster.is_through_python(path) else rasterio.open(path)
        forget_failure()
        try:
            yield dataset
        finally:
            remote_raster.close(dataset)
            raise_failure()
    except EngineError as err:
        raise OSError(str(err)) from err


def _opened(path: Path) -> DatasetReader:
    if remote_raster.is_through_python(path):
        return remote_raster.opened(path)
    if not path.is_file():  # also refuses addresses and GDAL's virtual paths
        raise SceneError(f"{path} is no readable raster file. Check the path; addresses are not opened.")
    _require_plain_side_cars(path)
    try:
        # TRUE: side-cars are looked for by name, the folder is not listed (it may hold a hundred thousand chips).
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="TRUE", GDAL_NUM_THREADS="1"):
            dataset = rasterio.open(path, driver=_driver_of(path))
            if dataset.tags(
                ns=_POINTING_DOMAIN
            ):  # in the file itself or in its .aux.xml, however that is written
                dataset.close()
                raise SceneError(
                    f"{path.name}, or {path.name}.aux.xml, names another file to open for overviews, which is not followed. "
                    f"Copy the raster with gdal_translate, and make its overviews again with gdaladdo."
                )
            return dataset
    except (RasterioError, CPLE_BaseError) as err:
        raise SceneError(
            f"{path.name} cannot be opened as GeoTIFF or JPEG 2000 ({in_short(str(err).replace(f'{path.parent}/', ''))}). "
            f"Export it again as one of these."
        ) from err


def _driver_of(path: Path) -> str:
    with path.open("rb") as file:
        return "JP2OpenJPEG" if file.read(len(_JPEG2000_SIGNATURE)) == _JPEG2000_SIGNATURE else "GTiff"


def _require_plain_side_cars(path: Path) -> None:
    """Masks and overviews beside a raster are TIFFs of this folder, and nothing names another file: GDAL would follow.

    Raises:
        SceneError: a side-car is something else.
    """
    for name in (*(f"{path.name}{ending}" for ending in _RASTER_ENDINGS), f"{path.stem}.ovr"):
        beside = path.with_name(name)
        if beside != path and beside.is_file():
            _require_in_folder(beside, path)
            if not _is_tiff(beside):
                raise SceneError(
                    f"{name} beside {path.name} is no TIFF, as masks and overviews are. Remove it, or make it again with gdaladdo."
                )
            _opened(beside).close()  # it may have side-cars of its own
    beside = path.with_name(f"{path.name}.aux.xml")
    if beside.is_file():
        _require_in_folder(beside, path)
        if _points_elsewhere(beside):
            raise SceneError(
                f"{beside.name} beside {path.name} names another file to open, which is not followed. Remove it, or make the overviews again with gdaladdo."
            )
    for beside in (path.with_suffix(".aux"), path.with_suffix(".AUX")):
        if beside.is_file():
            raise SceneError(
                f"{beside.name} beside {path.name} is an old kind of side-car that may name other files. Remove it, or make overviews again with gdaladdo."
            )


def _require_in_folder(beside: Path, path: Path) -> None:
    if beside.is_symlink() and beside.resolve().parent != path.parent.resolve():
        raise SceneError(
            f"{beside.name} beside {path.name} is a link out of its folder, which is not followed. Copy the file here."
        )


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF_SIGNATURES


def _points_elsewhere(path: Path) -> bool:
    text = path.read_bytes()[:_LONGEST_SIDE_CAR].lower()
    return path.stat().st_size > _LONGEST_SIDE_CAR or any(word in text for word in _POINTING)
