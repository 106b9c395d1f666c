"""netCDF files in the CF conventions as cubes: dates, bands and pixels, read by window through xarray.

A file may only hold its own pixels: HDF5's links to other files, external storage and virtual datasets are refused.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from engine.errors import SceneError
from engine.imagery.cubes.bands import CubeBand, bands_of, images_of, of_one_length, of_one_type
from engine.imagery.cubes.coordinates import affine_of, crs_of, dimension, times_of

if TYPE_CHECKING:
    import xarray as xr

ENDINGS = (".nc", ".nc4", ".cdf")
_HDF5, _CLASSIC = b"\x89HDF", (b"CDF\x01", b"CDF\x02")
# A chunk is unpacked as a whole: a small file may declare one of many gigabytes.
_LARGEST_CHUNK_BYTES = 512_000_000
# HDF5 reads one at a time in a process.
_lock = threading.RLock()


@dataclass(frozen=True)
class Cube:
    """A netCDF file, understood.

    Attributes:
        dates: in the file's order; empty where it has one image without a time.
        axes: dimensions of time (None: there is none), rows, columns and bands (None).
        shape: rows and columns as they lie in the file.
        chunk: rows and columns of a chunk.
        crs: as WKT.
        tags: of the file, in words.
        notes: what was assumed or left out.
    """

    path: Path
    dataset: xr.Dataset = field(repr=False)
    dates: tuple[datetime, ...]
    bands: tuple[CubeBand, ...]
    axes: tuple[str | None, str, str, str | None]
    shape: tuple[int, int]
    chunk: tuple[int, int]
    transform: Affine
    crs: str
    dtype: np.dtype[Any]
    tags: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def images(self) -> int:
        """How many there are of each band."""
        return max(1, len(self.dates))

    def read(self, image: int, band: int, rows: slice, columns: slice) -> np.ndarray:
        """Stored values (rows, columns) of one band of one image, both from 0."""
        own = self.bands[band]
        time, y, x, position = self.axes
        place: dict[str, Any] = {y: rows, x: columns}
        found = self.dataset[own.variable]
        if time is not None and time in found.dims:
            place[time] = image
        if own.position is not None:
            assert position is not None
            place[position] = own.position
        with _lock:
            values = np.asarray(found.isel(place).transpose(y, x).values, self.dtype)
        if own.valid is not None:
            values = np.where((values < own.valid[0]) | (values > own.valid[1]), own.gap, values)
        return values.astype(self.dtype, copy=False)


def is_cube(path: Path) -> bool:
    """Whether a file is a netCDF cube by its name."""
    return path.suffix.lower() in ENDINGS


def cube_of(path: Path) -> Cube:
    """The cube in a file, which stays open.

    Raises:
        SceneError: it is absent, no netCDF, points at other files, or is not understood.
    """
    if not path.is_file():
        raise SceneError(f"{path} is no netCDF file. Check the path; addresses are not opened.")
    return _held(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _held(path: Path, modified_ns: int) -> Cube:
    import xarray as xr  # not for every page

    del modified_ns
    engine = _engine_of(path)
    try:
        with _lock:
            if engine == "h5netcdf":
                _require_own_pixels(path)
            dataset = xr.open_dataset(path, engine=engine, decode_cf=False, cache=False)
            return _understood(path, dataset)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as err:
        raise SceneError(
            f"{path.name} cannot be read as netCDF ({' '.join(str(err).split())[:120]}). Copy or write the file again."
        ) from err


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
            if own.chunks and np.prod(own.chunks, dtype=float) * own.dtype.itemsize > _LARGEST_CHUNK_BYTES:
                raise SceneError(
                    f"{path.name}: {name} is stored in chunks above {_LARGEST_CHUNK_BYTES / 1e6:.0f} MB, each unpacked as a whole. "
                    f"Write it in smaller ones, e.g. with nccopy -c."
                )


def _understood(path: Path, dataset: xr.Dataset) -> Cube:
    where = path.name
    x, y, time = (dimension(dataset, axis) for axis in "xyt")
    if x is None or y is None:
        raise SceneError(
            f"{where} has no dimensions of rows and columns that are known (x and y, or lon and lat). It has {', '.join(map(str, dataset.dims)) or 'none'}."
        )
    images = images_of(dataset, (time, y, x))
    if not images:
        raise SceneError(
            f"{where} has no variable with the dimensions {y} and {x}, and at most time and bands besides."
        )
    notes: list[str] = []
    dtype, kept = of_one_type(images, where, notes)
    kept = of_one_length(kept, time, where, notes)
    axis = next((str(d) for one in kept for d in one.dims if d not in (time, y, x)), None)
    affine = affine_of(dataset, x, y, where)
    crs, note = crs_of(dataset, kept[0], x, y, where)
    when = time if time is not None and time in kept[0].dims else None
    dates = times_of(dataset, when, where) if when else _alone(dataset, where)
    chunk = kept[0].encoding.get("chunksizes") or kept[0].shape
    sides = dict(zip(kept[0].dims, chunk, strict=True))
    return Cube(
        path, dataset, dates, tuple(bands_of(dataset, kept, axis, where)), (when, y, x, axis),
        (dataset.sizes[y], dataset.sizes[x]), (int(sides[y]), int(sides[x])), affine, crs, dtype,
        tuple((str(key), str(value)[:500]) for key, value in dataset.attrs.items() if isinstance(value, str)),
        tuple(item for item in (note, *notes) if item),
    )  # fmt: skip


def _alone(dataset: xr.Dataset, where: str) -> tuple[datetime, ...]:
    """The time of one image, where a scalar coordinate states it."""
    if "time" in dataset.variables and dataset["time"].size == 1:
        return times_of(dataset, "time", where)
    return ()
