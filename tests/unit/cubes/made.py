"""One series of reflectance, as a cube in netCDF or Zarr in several forms, and as GeoTIFFs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import xarray as xr
from affine import Affine
from pyproj import CRS

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
DAYS = ("2023-07-01", "2023-07-11", "2023-07-31")
WEST, NORTH, GSD_M, SIDE = 500_000.0, 5_200_000.0, 30.0, 100
FILL = -9999


def stored() -> np.ndarray:
    """(3, 6, 100, 100) int16 that rows and columns, bands and dates all tell apart, with a corner of gaps on each date."""
    random = np.random.default_rng(7)
    base = np.add.outer(np.arange(SIDE) * 11, np.arange(SIDE) * 3)
    values = np.stack([[base + 400 * band + 90 * day for band in range(6)] for day in range(3)])
    values = values + random.integers(0, 300, values.shape)
    for day in range(3):
        values[day, :, : 4 + day, :9] = FILL
    return values.astype(np.int16)


def write_cube(path: Path, form: str = "variables", **attrs: Any) -> Path:
    """The series as a cube.

    Args:
        path: .nc, or .zarr for a store of format 3; .2.zarr for one of format 2.
        form: "variables", "band" (a dimension of bands), "south-up", "classic" (netCDF 3), "columns first".
        attrs: of the variables, besides the usual ones; None removes.
    """
    values = stored()
    x = WEST + GSD_M * (np.arange(SIDE) + 0.5)
    y = NORTH - GSD_M * (np.arange(SIDE) + 0.5)
    if form == "south-up":
        values, y = values[:, :, ::-1], y[::-1]
    times = [(np.datetime64(day) - np.datetime64("2023-01-01")).astype(int) for day in DAYS]
    packed = {"scale_factor": 0.0001, "add_offset": 0.01, "_FillValue": np.int16(FILL), "grid_mapping": "crs"}
    own = {key: value for key, value in {**packed, **attrs}.items() if value is not None}
    dims = ("time", "y", "x")
    if form == "band":
        images = {"reflectance": (("time", "band", "y", "x"), values, own)}
    elif form == "columns first":
        images = {
            name: (("x", "time", "y"), values[:, n].transpose(2, 0, 1), own) for n, name in enumerate(BANDS)
        }
    else:
        images = {name: (dims, values[:, n], own) for n, name in enumerate(BANDS)}
    coords: dict[str, Any] = {
        "time": (
            "time",
            np.array(times, np.float64),
            {"units": "days since 2023-01-01", "calendar": "standard"},
        ),
        "y": ("y", y, {"standard_name": "projection_y_coordinate", "units": "m"}),
        "x": ("x", x, {"standard_name": "projection_x_coordinate", "units": "m"}),
        "crs": ((), 0, {"crs_wkt": CRS.from_epsg(32633).to_wkt()}),
    }
    if form == "band":
        coords["band"] = ("band", np.array(BANDS, object))
    dataset = xr.Dataset(images, coords)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zarr":
        return write_zarr(path, dataset)
    engine = "scipy" if form == "classic" else "h5netcdf"
    chunks = {} if form == "classic" else {
        name: {"zlib": True, "chunksizes": tuple(1 if d in ("time", "band") else 40 for d in entry[0])}
        for name, entry in images.items()
    }  # fmt: skip
    dataset.to_netcdf(path, engine=engine, encoding=chunks)
    return path


def write_zarr(path: Path, dataset: xr.Dataset) -> Path:
    """A dataset as a Zarr store in chunks of 40 pixels."""
    chunks = {
        name: {"chunks": tuple(40 if d in ("x", "y") else 1 for d in one.dims)} for name, one in dataset.data_vars.items()
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what format 3 leaves open in names of bands
        version = 2 if path.name.endswith(".2.zarr") else 3
        dataset.to_zarr(path, mode="w", zarr_format=version, encoding=chunks, consolidated=version == 2)
    return path


def write_geotiff(path: Path, day: int) -> Path:
    """One date of the series as a GeoTIFF with the same packing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", height=SIDE, width=SIDE, count=6, dtype="int16", crs="EPSG:32633", nodata=FILL,
        transform=Affine(GSD_M, 0, WEST, 0, -GSD_M, NORTH),
    ) as dataset:  # fmt: skip
        dataset.write(stored()[day])
        dataset.descriptions = BANDS
        dataset.scales, dataset.offsets = [0.0001] * 6, [0.01] * 6
        dataset.update_tags(emberscope_datetime=f"{DAYS[day]}T00:00:00Z")
    return path
