"""One piece of ground in every form in which imagery comes: the configuration of each door to the same pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import xarray as xr
from odc.geo.geobox import GeoBox
from pyproj import CRS

from tests.stac.items import S2_CODES
from tests.unit.cubes.made import BANDS, write_zarr

FILL, TIME = -9999, "10:05:00"
Configured = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """Pixels that every door shows.

    Attributes:
        stored: (T, 6, H, W) int16 reflectance times 10000, -9999 in gaps.
        grid: their pixels.
        days: T of them; the time is `TIME`.
    """

    stored: np.ndarray
    grid: GeoBox
    days: Sequence[str]


def cog(ground: Ground, folder: Path) -> Configured:
    """A Cloud-Optimised GeoTIFF with all bands."""
    path = _raster(folder / "ground.tif", ground.stored[0], ground.grid, driver="COG", blocksize=128)
    return {"source": "file", "path": str(path), "datetime": f"{ground.days[0]}T{TIME}Z", "sensor": "hls"}


def safe(ground: Ground, folder: Path) -> Configured:
    """A Sentinel-2 SAFE folder of 20 m, whose numbers carry the offset of its baseline."""
    stamp = f"{ground.days[0].replace('-', '')}T{TIME.replace(':', '')}"
    place = folder / f"S2A_MSIL2A_{stamp}_N0509_R022_T33TWK_{stamp}.SAFE"
    images = place / f"GRANULE/L2A_T33TWK_A000000_{stamp}/IMG_DATA/R20m"
    stored = np.where(ground.stored[0] == FILL, 0, ground.stored[0] + 1000).astype(np.uint16)
    options = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    for band, code in S2_CODES.items():
        pixels = stored[BANDS.index(band)][None]
        _raster(images / f"T33TWK_{stamp}_{code}_20m.jp2", pixels, ground.grid, names=(), **options)
    return {"source": "file", "path": str(place)}


def band_files(ground: Ground, folder: Path) -> Configured:
    """An HLS granule with a file a band."""
    day = np.datetime64(ground.days[0])
    number = (day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) + 1
    name = f"HLS.S30.T33TWK.{ground.days[0][:4]}{number:03d}T{TIME.replace(':', '')}.v2.0"
    for band, code in S2_CODES.items():
        pixels = ground.stored[0][BANDS.index(band)][None]
        _raster(folder / name / f"{name}.{code}.tif", pixels, ground.grid, names=())
    return {"source": "file", "path": str(folder / name)}


def chips(ground: Ground, folder: Path, corners: Sequence[tuple[int, int]], side_px: int) -> Configured:
    """Chips in the layout of HLS Burn Scars, with their north-western pixels at some rows and columns of the ground."""
    for row, column in corners:
        part = np.s_[row : row + side_px, column : column + side_px]
        path = folder / f"data/chip_{row}_{column}_merged.tif"
        _raster(path, ground.stored[0][(slice(None), *part)], ground.grid[part])
    return {"source": "chips", "path": str(folder), "datetime": f"{ground.days[0]}T{TIME}Z", "sensor": "hls"}


def netcdf(ground: Ground, folder: Path) -> Configured:
    """A netCDF cube with the dates."""
    _dataset(ground).to_netcdf(folder / "cube.nc", engine="h5netcdf")
    return {"source": "netcdf", "path": str(folder / "cube.nc")}


def zarr(ground: Ground, folder: Path) -> Configured:
    """A Zarr store with the dates."""
    return {"source": "zarr", "path": str(write_zarr(folder / "cube.zarr", _dataset(ground)))}


def zarr_2(ground: Ground, folder: Path) -> Configured:
    """The same in format 2."""
    return {"source": "zarr", "path": str(write_zarr(folder / "cube.2.zarr", _dataset(ground)))}


def stack(ground: Ground, folder: Path) -> Configured:
    """A GeoTIFF a date in a folder, with the dates in their names."""
    for stored, day in zip(ground.stored, ground.days, strict=True):
        stamp = f"{day.replace('-', '')}T{TIME.replace(':', '')}"
        _raster(folder / f"stack/place_{stamp}.tif", stored, ground.grid)
    return {"source": "stack", "paths": [str(folder / "stack")], "sensor": "hls"}


def dates_as_bands(ground: Ground, folder: Path) -> Configured:
    """One GeoTIFF with the dates as bands."""
    names = [f"{day}T{TIME}Z {band}" for day in ground.days for band in BANDS]
    path = _raster(folder / "dates.tif", np.concatenate(ground.stored), ground.grid, names)
    return {"source": "stack", "paths": [str(path)], "sensor": "hls"}


SERIES: Mapping[str, Callable[[Ground, Path], Configured]] = {
    "netcdf": netcdf, "zarr": zarr, "zarr 2": zarr_2, "stack": stack, "dates as bands": dates_as_bands,
}  # fmt: skip
SINGLE: Mapping[str, Callable[[Ground, Path], Configured]] = {
    "cog": cog,
    "safe": safe,
    "band files": band_files,
    **SERIES,
}


def _raster(
    path: Path, pixels: np.ndarray, grid: GeoBox, names: Sequence[str] = BANDS, **options: Any
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nodata = FILL if pixels.dtype == np.int16 else None
    with rasterio.open(
        path, "w", **{"driver": "GTiff", **options}, count=len(pixels), height=grid.shape[0], width=grid.shape[1],
        dtype=pixels.dtype, crs=str(grid.crs), transform=grid.transform, nodata=nodata,
    ) as out:  # fmt: skip
        out.write(pixels)
        if names:
            out.descriptions = tuple(names)
    return path


def _dataset(ground: Ground) -> xr.Dataset:
    height, width = ground.grid.shape
    transform = ground.grid.transform
    times = [np.datetime64(f"{day}T{TIME}").astype("datetime64[s]").astype(int) for day in ground.days]
    packed = {"scale_factor": 0.0001, "_FillValue": np.int16(FILL), "grid_mapping": "spatial_ref"}
    return xr.Dataset(
        {band: (("time", "y", "x"), ground.stored[:, n], packed) for n, band in enumerate(BANDS)},
        {
            "time": ("time", np.array(times, np.int64), {"units": "seconds since 1970-01-01"}),
            "y": ("y", transform.f + transform.e * (np.arange(height) + 0.5), {"units": "m"}),
            "x": ("x", transform.c + transform.a * (np.arange(width) + 0.5), {"units": "m"}),
            "spatial_ref": ((), 0, {"crs_wkt": CRS.from_user_input(str(ground.grid.crs)).to_wkt()}),
        },
        {"emberscope_sensor": "hls"},
    )
