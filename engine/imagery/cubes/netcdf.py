"""netCDF files in the CF conventions as arrays, read by window through xarray.

A file may only hold its own pixels: HDF5's links to other files, external storage and virtual datasets are refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import SceneError
from engine.imagery.cubes.cube import LARGEST_CHUNK_BYTES, Opened, Part

if TYPE_CHECKING:
    import xarray as xr

ENDINGS = (".nc", ".nc4", ".cdf")
_HDF5, _CLASSIC = b"\x89HDF", (b"CDF\x01", b"CDF\x02")
# Of each variable HDF5 keeps so many unpacked bytes (its own default, one megabyte, holds no chunk of 1024 pixels), in a table
# of a prime number of places.
_KEPT_BYTES, _KEPT_SLOTS = 16_000_000, 4001
# HDF5 reads one at a time in a process.
_lock = threading.RLock()


def open_netcdf(path: Path) -> Opened:
    """The arrays of a file, which stays open.

    Raises:
        SceneError: it is absent, no netCDF, or points at other files.
        OSError, ValueError, KeyError, RuntimeError, TypeError: it cannot be read.
    """
    import xarray as xr  # not for every page

    if not path.is_file():
        raise SceneError(f"{path} is no netCDF file. Check the path; addresses are not opened.")
    engine = _engine_of(path)
    with _lock:
        if engine == "h5netcdf":
            _require_own_pixels(path)
        dataset = xr.open_dataset(path, engine=engine, decode_cf=False, cache=False)
        return Opened(path, dataset, _hdf5_values(path) if engine == "h5netcdf" else _classic_values(dataset))


def _hdf5_values(path: Path) -> Callable[[str, Part], np.ndarray]:
    """Reads parts of variables by HDF5 itself, which keeps the chunks that it unpacked last."""
    import h5py

    file = h5py.File(path, "r", rdcc_nbytes=_KEPT_BYTES, rdcc_nslots=_KEPT_SLOTS)
    variables: dict[str, Any] = {}

    def values(name: str, part: Part) -> np.ndarray:
        with _lock:
            if name not in variables:
                variables[name] = file[name]
            return np.asarray(variables[name][part])

    return values


def _classic_values(dataset: xr.Dataset) -> Callable[[str, Part], np.ndarray]:
    def values(name: str, part: Part) -> np.ndarray:
        with _lock:
            return np.asarray(dataset[name].variable[part].values)

    return values


def _engine_of(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start == _HDF5:
        return "h5netcdf"
    if start in _CLASSIC:
        return "scipy"
    raise SceneError(
        f"{path.name} is neither netCDF 4 nor classic netCDF (CDF-1, CDF-2). Convert it, e.g. with nccopy -k nc4."
    )


def _require_own_pixels(path: Path) -> None:
    """Refuse HDF5 that points at other files, or unpacks to more than memory.

    Raises:
        SceneError: naming what does.
    """
    import h5py  # not for every page

    with h5py.File(path, "r") as file:
        for name in file:
            link = file.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise SceneError(f"{path.name}: {name} is a link to another file, which is not followed.")
            own = file[name]
            if not isinstance(own, h5py.Dataset):
                continue
            if own.is_virtual or own.external:
                raise SceneError(
                    f"{path.name}: {name} has its values in other files, which are not opened. Copy it whole."
                )
            if own.chunks and np.prod(own.chunks, dtype=float) * own.dtype.itemsize > LARGEST_CHUNK_BYTES:
                raise SceneError(
                    f"{path.name}: {name} is stored in chunks above {LARGEST_CHUNK_BYTES / 1e6:.0f} MB, each unpacked as a whole. "
                    f"Write it in smaller ones, e.g. with nccopy -c."
                )
