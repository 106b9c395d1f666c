"""GDAL's handles of rasters on other computers, opened and closed by one thread.

rasterio keeps the Python files behind a handle in a context variable of the thread that opened it (rasterio 1.4,
`_vsiopener`): closed by another thread, or read after its thread has ended, the process would crash. So one thread, which
lives as long as the process, opens and closes them all; any thread reads.
"""

from __future__ import annotations

import atexit
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from engine.errors import EngineError, SceneError
from engine.imagery.remote.fetching import cached
from engine.imagery.remote.remote_file import RemoteContainer, forget_failure, raise_failure, remote_raster

_door = ThreadPoolExecutor(1, "remote-rasters")
# Those that are open: left to the garbage collector, they would be closed by whichever thread it runs in.
_open: dict[int, DatasetReader] = {}


def opened(path: Path) -> DatasetReader:
    """A raster on another computer; nothing beside it is looked for. `close` closes it.

    Raises:
        RemoteError: it cannot be had.
        SceneError: it is no GeoTIFF or JPEG 2000.
    """
    raster = remote_raster(path)
    cached(raster)  # why it cannot be had is told from here, not from inside GDAL
    is_jp2 = raster.address.partition("?")[0].lower().endswith((".jp2", ".j2k"))
    try:
        return _door.submit(_open_here, path, "JP2OpenJPEG" if is_jp2 else "GTiff").result()
    except (RasterioError, CPLE_BaseError) as err:
        why = " ".join(str(err).split())[:120]
        raise SceneError(
            f"{raster.what} cannot be opened as GeoTIFF or JPEG 2000 ({why}). Choose another scene."
        ) from err


def close(dataset: DatasetReader) -> None:
    """Close a raster, wherever it lies."""
    if id(dataset) in _open:
        _door.submit(_close_here, dataset).result()
    else:
        dataset.close()


def _open_here(path: Path, driver: str) -> DatasetReader:
    forget_failure()
    dataset: Any = None
    try:
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_NUM_THREADS="1"):
            dataset = rasterio.open(str(path), driver=driver, opener=RemoteContainer(path))
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
    dataset.close()


@atexit.register
def _close_all() -> None:
    for dataset in list(_open.values()):
        close(dataset)
