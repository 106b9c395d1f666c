"""Which variables of a netCDF cube are bands, and how their stored values mark gaps and become measured ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import SceneError

if TYPE_CHECKING:
    import xarray as xr

# What libraries write where nothing was written and no _FillValue is stated (netCDF, netcdf.h, NC_FILL_*).
_UNWRITTEN = {"i2": -32767.0, "i4": -2147483647.0, "f4": 9.969209968386869e36, "f8": 9.969209968386869e36}
# Names of a dimension of bands.
_BANDS = ("band", "bands", "wavelength", "channel", "variable")
_NUMBERS = "iuf"


@dataclass(frozen=True)
class CubeBand:
    """One band of a cube.

    Attributes:
        variable, position: the variable, and the band's place in its dimension of bands; None: it has none.
        name: what the file calls the band.
        nodata: stored values that mark a gap.
        valid: least and greatest stored value that counts; others are gaps. None: all count.
        gap: stored value that those others become.
    """

    variable: str
    position: int | None
    name: str
    scale: float
    offset: float
    nodata: tuple[float, ...]
    valid: tuple[float, float] | None = None
    gap: float = 0.0


def images_of(dataset: xr.Dataset, axes: tuple[str | None, str, str]) -> list[xr.DataArray]:
    """Variables of numbers on rows and columns, with time and one dimension of bands at most."""
    time, y, x = axes
    found = []
    for name in dataset.data_vars:
        own = dataset[name]
        others = set(own.dims) - {time, y, x}
        is_image = {y, x} <= set(own.dims) and own.dtype.kind in _NUMBERS and len(others) <= 1
        if is_image and all(str(other).lower() in _BANDS for other in others):
            found.append(own)
    return found


def of_one_type(
    images: Sequence[xr.DataArray], where: str, notes: list[str]
) -> tuple[np.dtype[Any], list[xr.DataArray]]:
    """The type that most variables have, and those; the others are told."""
    kinds = Counter(one.dtype.newbyteorder("<") for one in images)
    dtype = kinds.most_common(1)[0][0]
    kept = [one for one in images if one.dtype.newbyteorder("<") == dtype]
    left = [f"{one.name} ({one.dtype.name})" for one in images if one.dtype.newbyteorder("<") != dtype]
    if left:
        notes.append(
            f"{where}: {', '.join(left)} left unread: most variables are {dtype.name}, and those are read."
        )
    return dtype, kept


def of_one_length(
    kept: Sequence[xr.DataArray], time: str | None, where: str, notes: list[str]
) -> list[xr.DataArray]:
    """The variables that have dates, where some have; the others are told."""
    dated = [one for one in kept if time in one.dims]
    if not dated or len(dated) == len(kept):
        return list(kept)
    left = [str(one.name) for one in kept if time not in one.dims]
    notes.append(f"{where}: {', '.join(left)} left unread: the other variables have dates.")
    return dated


def bands_of(
    dataset: xr.Dataset, kept: Sequence[xr.DataArray], axis: str | None, where: str
) -> Iterator[CubeBand]:
    for one in kept:
        if str(one.attrs.get("_Unsigned", "false")).lower() == "true":
            raise SceneError(
                f"{where}: {one.name} holds unsigned values in a signed type (_Unsigned). Convert it with nccopy -k nc4."
            )
        scale, offset = float(one.attrs.get("scale_factor", 1.0)), float(one.attrs.get("add_offset", 0.0))
        nodata = _nodata(one)
        valid, gap = _valid(one, nodata)
        if gap is not None and gap == gap and gap not in nodata:
            nodata = (*nodata, gap)
        said = (scale, offset, nodata, valid, gap or 0.0 if gap == gap else float("nan"))
        if axis is None or axis not in one.dims:
            yield CubeBand(str(one.name), None, str(one.name), *said)
            continue
        labels = dataset[axis].values if axis in dataset.variables else [""] * dataset.sizes[axis]
        for position, label in enumerate(labels):
            text = label.decode(errors="replace") if isinstance(label, bytes) else str(label)
            yield CubeBand(str(one.name), position, text if text.strip() else f"Band {position + 1}", *said)


def _nodata(one: xr.DataArray) -> tuple[float, ...]:
    stated = [one.attrs[key] for key in ("_FillValue", "missing_value") if key in one.attrs]
    values = [float(value) for item in stated for value in np.atleast_1d(item)]
    unwritten = _UNWRITTEN.get(one.dtype.str[1:])
    if not values and unwritten is not None:
        values = [unwritten]
    return tuple(dict.fromkeys(value for value in values if value == value))


def _valid(one: xr.DataArray, nodata: tuple[float, ...]) -> tuple[tuple[float, float] | None, float | None]:
    """The stored values that count (valid_range, valid_min, valid_max), and what the others become."""
    low, high = one.attrs.get("valid_range", (one.attrs.get("valid_min"), one.attrs.get("valid_max")))
    if low is None and high is None:
        return None, None
    valid = (-np.inf if low is None else float(low), np.inf if high is None else float(high))
    if one.dtype.kind == "f":
        return valid, float("nan")
    if nodata:
        return valid, nodata[0]
    limits = np.iinfo(one.dtype)
    if valid[0] > limits.min:
        return valid, float(limits.min)
    return (valid, float(limits.max)) if valid[1] < limits.max else (None, None)
