"""Where and when the pixels of a CF cube are: its axes, its CRS and its times (CF conventions 1.11, chapters 4 and 5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError

from engine.errors import SceneError

if TYPE_CHECKING:
    import xarray as xr

# Coordinates count as evenly spaced within this share of a pixel: float32 degrees of 30 m pixels are off by 3 %.
_UNEVEN_PX = 0.1
# Calendars whose days are those of the world; the others have years of 360, 365 or 366 days.
_CALENDARS = ("standard", "gregorian", "proleptic_gregorian")
# What marks a variable that holds a CRS (CF conventions 1.11, 5.6; spatial_ref: GDAL's).
_CRS_KEYS = ("crs_wkt", "spatial_ref", "grid_mapping_name")
_METRES = {"m": 1.0, "metre": 1.0, "meter": 1.0, "metres": 1.0, "meters": 1.0, "km": 1000.0, "kilometre": 1000.0, "kilometer": 1000.0}  # fmt: skip
_NAMES = {
    "x": ("x", "lon", "longitude", "easting"),
    "y": ("y", "lat", "latitude", "northing"),
    "t": ("time", "t"),
}
_STANDARD = {
    "x": ("projection_x_coordinate", "longitude"),
    "y": ("projection_y_coordinate", "latitude"),
    "t": ("time",),
}


def dimension(dataset: xr.Dataset, axis: str) -> str | None:
    """The dimension of an axis ("x", "y" or "t"): by its coordinate's attributes, else by its name; None: there is none."""
    stated = [
        str(name)
        for name in dataset.dims
        if name in dataset.variables
        and (
            dataset[name].attrs.get("standard_name") in _STANDARD[axis]
            or str(dataset[name].attrs.get("axis", "")).lower() == axis
        )
    ]
    named = [str(name) for name in dataset.dims if str(name).lower() in _NAMES[axis]]
    return next(iter([*stated, *named]), None)


def affine_of(dataset: xr.Dataset, x: str, y: str, where: str) -> Affine:
    """The affine of evenly spaced coordinates, which are of pixels' middles; rows may run from the south.

    Raises:
        SceneError: there are no coordinates, or they are uneven.
    """
    (west, across), (top, down) = _axis(dataset, x, where), _axis(dataset, y, where)
    return Affine(across, 0, west - across / 2, 0, down, top - down / 2)


def _axis(dataset: xr.Dataset, name: str, where: str) -> tuple[float, float]:
    """First coordinate of a dimension and the step, in metres or degrees."""
    if name not in dataset.variables:
        raise SceneError(
            f"{where} has no coordinates of its dimension {name}: nothing says where its pixels lie. "
            f"Write the variable {name} with the middles of the pixels (CF conventions, chapter 4)."
        )
    values = np.asarray(dataset[name].values, np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise SceneError(
            f"{where} has coordinates {name} that are not a row of at least two numbers, so that pixels have no size. Write it again."
        )
    step = float(values[-1] - values[0]) / (len(values) - 1)
    even = values[0] + step * np.arange(len(values))
    if step == 0 or np.abs(values - even).max() > _UNEVEN_PX * abs(step):
        raise SceneError(
            f"{where} has coordinates {name} that are not evenly spaced. Resample it to a regular grid first."
        )
    units = str(dataset[name].attrs.get("units", "")).lower()
    if not units.startswith("degree") and units not in ("", *_METRES):
        raise SceneError(
            f"{where} has coordinates {name} in {units}, and metres, kilometres or degrees are read. Write it again in metres."
        )
    factor = _METRES.get(units, 1.0)
    return float(values[0]) * factor, step * factor


def crs_of(dataset: xr.Dataset, variable: xr.DataArray, x: str, y: str, where: str) -> tuple[str, str]:
    """The CRS as WKT, and what had to be assumed of it.

    Raises:
        SceneError: nothing states it, or what states it cannot be read.
    """
    mapping = str(variable.attrs.get("grid_mapping", "")).split(":")[0].split()
    if mapping:
        if mapping[0] not in dataset.variables:
            raise SceneError(
                f"{where} names the grid_mapping {mapping[0]}, which is not there. Write it again with the CRS."
            )
        return _stated_crs(dict(dataset[mapping[0]].attrs), mapping[0], where), ""
    units = [str(dataset[name].attrs.get("units", "")).lower() for name in (x, y)]
    is_in_degrees = all(unit.startswith("degree") for unit in units)
    alone = [str(name) for name in dataset.variables if set(_CRS_KEYS) & set(dataset[name].attrs)]
    if len(alone) == 1:  # the name of the mapping is often lost where cubes are computed from others
        found = _stated_crs(dict(dataset[alone[0]].attrs), alone[0], where)
        if CRS.from_wkt(found).is_geographic == is_in_degrees:
            return (
                found,
                f"{where}: {variable.name} names no grid_mapping; the CRS is that of {alone[0]}, the only one.",
            )
    if is_in_degrees:
        note = f"{where} has no grid_mapping: its longitudes and latitudes are taken as those of WGS 84."
        return str(CRS.from_epsg(4326).to_wkt()), note
    raise SceneError(
        f"{where} has no CRS: {variable.name} names no grid_mapping, and its coordinates are not in degrees. "
        f"Write it again with the CRS, e.g. with rioxarray's rio.write_crs."
    )


def _stated_crs(said: dict[str, Any], name: str, where: str) -> str:
    try:
        for key in ("crs_wkt", "spatial_ref"):
            if said.get(key):
                return str(CRS.from_user_input(str(said[key])).to_wkt())
        return str(CRS.from_cf(said).to_wkt())
    except (CRSError, KeyError, ValueError, TypeError) as err:
        raise SceneError(
            f"{where} has a grid_mapping {name} that cannot be read ({' '.join(str(err).split())[:100]}). Write it with crs_wkt."
        ) from err


def times_of(dataset: xr.Dataset, name: str, where: str) -> tuple[datetime, ...]:
    """The times of a coordinate in UTC, in the file's order.

    Raises:
        SceneError: another calendar, no unit, or two that are the same.
    """
    if name not in dataset.variables:
        raise SceneError(
            f"{where} has no coordinates of its dimension {name}: nothing says of when its images are. Write the variable {name}."
        )
    from xarray import decode_cf  # not for every page

    said = dataset[name].attrs
    calendar = str(said.get("calendar", "standard")).lower()
    if calendar not in _CALENDARS:
        raise SceneError(
            f"{where} counts time in the calendar {calendar}, as climate models do: its days are not those of the world, "
            f"and satellites see none of them. Write the times in the standard calendar."
        )
    if "since" not in str(said.get("units", "")):
        raise SceneError(
            f"{where} has a {name} without a unit such as 'days since 1970-01-01'. Write its units."
        )
    try:
        decoded = decode_cf(dataset[[name]].reset_coords(), mask_and_scale=False)[name].values
        moments = np.atleast_1d(decoded).astype("datetime64[us]")
    except (ValueError, OverflowError, TypeError, ImportError) as err:
        raise SceneError(
            f"{where} has a {name} that cannot be read ({' '.join(str(err).split())[:100]}). Write it as 'days since 1970-01-01'."
        ) from err
    if np.isnat(moments).any():
        raise SceneError(f"{where} has images without a time. Leave them out.")
    if len(np.unique(moments)) < len(moments):
        raise SceneError(f"{where} has several images of one time. Keep one of each.")
    return tuple(moment.replace(tzinfo=UTC) for moment in moments.tolist())
