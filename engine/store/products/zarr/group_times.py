"""The dates of a Zarr group of embeddings: years, or times since a moment as the CF conventions have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.imagery.cubes.coordinates import times_of
from engine.imagery.cubes.cube import Part

_YEARS = range(1980, 2101)


def moments_of(array: Any, read: Callable[[str, Part], np.ndarray], where: str) -> tuple[str, ...]:
    """ISO 8601 in UTC of each date in the order of the file; empty where nothing says what the numbers of `time` are.

    Args:
        array: `time` of the group; None where it has none.

    Raises:
        SceneError: another calendar, or two dates that are the same.
    """
    if array is None or array.ndim != 1:
        return ()
    numbers = read("time", (slice(0, array.shape[0]),))
    if np.issubdtype(numbers.dtype, np.datetime64):
        return tuple(f"{moment}+00:00" for moment in numbers.astype("datetime64[s]").astype(str).tolist())
    if np.issubdtype(numbers.dtype, np.integer) and all(int(one) in _YEARS for one in numbers.tolist()):
        return tuple(f"{int(one)}-01-01T00:00:00+00:00" for one in numbers.tolist())
    attributes = {key: value for key, value in dict(array.attrs).items() if key in ("units", "calendar")}
    if "since" not in str(attributes.get("units", "")):
        return ()
    import xarray as xr  # not for every page

    dataset = xr.Dataset(coords={"time": ("time", numbers, attributes)})
    return tuple(moment.isoformat() for moment in times_of(dataset, "time", where))
