"""GDAL's handles of rasters that are read through Python (on other computers, and cubes), opened and closed by one thread.

rasterio keeps the Python files behind a handle in a context variable of the thread that opened it (rasterio 1.4,
`_vsiopener`): closed by another thread, or read after its thread has ended, the process would crash. So one thread, which
lives as long as the process, opens and closes them all; any thread reads.
"""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from engine.errors import EngineError, SceneError
from engine.imagery.cubes.cube import Cube
from engine.imagery.cubes.opening import cube_of, is_cube
from engine.imagery.cubes.virtual_tiff import cube_as_file
from engine.imagery.one_file import OneFile
from engine.imagery.remote import fetching
from engine.imagery.remote.fetching import cached
from engine.imagery.remote.remote_file import (
    forget_failure,
    is_remote,
    raise_failure,
    remote_as_file,
    remote_raster,
)

_door = ThreadPoolExecutor(1, "remote-rasters")
# Those that are open: left to the garbage collector, they would be closed by whichever thread it runs in.
_open: dict[int, DatasetReader] = {}
# Of those, the cubes whose chunks come over a network.
_away: dict[int, Cube] = {}


def is_through_python(path: Path) -> bool:
    """Whether GDAL gets a file's content from here, not from the disk."""
    return is_remote(path) or is_cube(path)


def opened(path: Path) -> DatasetReader:
    """A raster on another computer, or a cube; nothing beside it is looked for. `close` closes it.

    Raises:
        RemoteError: it cannot be had.
        SceneError: it is no GeoTIFF, JPEG 2000 or netCDF.
    """
    return _cube(path) if is_cube(path) else _remote(path)


def begin(paths: Sequence[Path]) -> None:
    """Fetch the headers of those that lie on other computers side by side, before they are opened one after another.

    Raises:
        RemoteError: one cannot be had.
        SceneError: a file here names none.
    """
    away = [remote_raster(path) for path in paths if is_remote(path)]
    if len(away) > 1:
        fetching.begin(away)


def read_bands(dataset: DatasetReader, indexes: Sequence[int], window: Window) -> np.ndarray:
    """Stored values (C, H, W) of some bands in a window.

    Raises:
        SceneError: a cube on another computer is damaged, or cannot be had.
        RasterioError: the file is damaged.
    """
    bring(dataset, indexes, [window])
    found: np.ndarray = dataset.read(list(indexes), window=window)
    return found


def bring(dataset: DatasetReader, indexes: Sequence[int], windows: Sequence[Window]) -> None:
    """Bring what some bands hold in some windows, side by side, before it is read; nothing but for cubes on other computers.

    Raises:
        SceneError: it is damaged, or cannot be had.
    """
    cube = _away.get(id(dataset))
    if cube is None:
        return
    cube.ahead([
        (*divmod(index - 1, len(cube.bands)), slice(top, min(top + height, cube.shape[0])), slice(left, min(left + width, cube.shape[1])))
        for index in indexes
        for left, top, width, height in ((int(w.col_off), int(w.row_off), int(w.width), int(w.height)) for w in windows)
    ])  # fmt: skip


def _cube(path: Path) -> DatasetReader:
    container, cube = cube_as_file(path), cube_of(path)  # why it cannot be read is told from here
    try:
        dataset: DatasetReader = _door.submit(_open_here, path, "GTiff", container).result()
        if cube.opened.ahead is not None:
            _away[id(dataset)] = cube
        return dataset
    except (RasterioError, CPLE_BaseError) as err:
        why = " ".join(str(err).split())[:120]
        raise SceneError(f"{path.name} cannot be read as a cube ({why}). Write it again.") from err


def _remote(path: Path) -> DatasetReader:
    raster = remote_raster(path)
    cached(raster)  # why it cannot be had is told from here, not from inside GDAL
    # By the name that the catalogue's item gave it: addresses of OData end with "$value".
    is_jp2 = path.with_suffix("").suffix.lower() in (".jp2", ".j2k")
    try:
        return _door.submit(
            _open_here, path, "JP2OpenJPEG" if is_jp2 else "GTiff", remote_as_file(path)
        ).result()
    except (RasterioError, CPLE_BaseError) as err:
        why = " ".join(str(err).split())[:120]
        raise SceneError(
            f"{raster.what} cannot be opened as GeoTIFF or JPEG 2000 ({why}). Choose another scene."
        ) from err


def close(dataset: DatasetReader) -> None:
    """Close a raster, however it is read."""
    if id(dataset) in _open:
        _door.submit(_close_here, dataset).result()
    else:
        dataset.close()


def _open_here(path: Path, driver: str, container: OneFile) -> DatasetReader:
    forget_failure()
    dataset: Any = None
    try:
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_NUM_THREADS="1"):
            dataset = rasterio.open(str(path), driver=driver, opener=container)
            # GDAL looks for masks and overviews beside the file when they are asked for first: here, not in the thread that reads.
            _ = dataset.mask_flag_enums, dataset.overviews(1)
        raise_failure()
    except EngineError:
        if dataset is not None:
            dataset.close()
        raise
    except (RasterioError, CPLE_BaseError):
        raise_failure()
        raise
    _open[id(dataset)] = dataset
    return dataset


def _close_here(dataset: DatasetReader) -> None:
    del _open[id(dataset)]
    _away.pop(id(dataset), None)
    dataset.close()


@atexit.register
def _close_all() -> None:
    for dataset in list(_open.values()):
        close(dataset)
