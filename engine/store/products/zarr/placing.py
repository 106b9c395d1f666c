"""Where the pixels of a Zarr group lie: by its attributes `proj:` and `spatial:`, or by its coordinates and their CRS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import CRS
from pyproj.exceptions import CRSError

from engine.errors import StoreError
from engine.imagery.geobox import crs_text
from engine.imagery.raster.rasters import in_short
from engine.store.products.zarr.group import COLUMNS, ROWS, Layout, ZarrGroup, names_of

_CRS_KEYS = ("proj:code", "proj:wkt2", "proj:projjson", "proj:epsg", "crs", "crs_wkt", "spatial_ref")
_CRS_ARRAYS = ("spatial_ref", "crs", "projection")
# Coordinates are regular where no step leaves their mean by more than this share of it.
_REGULAR = 1e-3


def grid_of(group: ZarrGroup, layout: Layout) -> GeoBox:
    """The pixels as they are stored, in any CRS, whichever way their rows and columns run.

    Raises:
        StoreError: nothing says where they lie, or they lie on no grid.
    """
    shape = group.embeddings.shape
    height, width = int(shape[layout.row]), int(shape[layout.column])
    crs = _crs(group)
    transform = _stated(group.attributes, height, width) or _of_coordinates(group, layout)
    if crs is None or transform is None:
        raise StoreError(
            f"{group.name} has no {'CRS (proj:code)' if crs is None else 'spatial:transform and no coordinates'}: nothing tells where its "
            f"embeddings lie. Fetch its metadata again."
        )
    if not (transform.determinant and all(np.isfinite(transform[:6]))):
        raise StoreError(f"{group.name} has a spatial:transform without an area. Fetch its metadata again.")
    return GeoBox((height, width), transform, crs_text(crs))


def _crs(group: ZarrGroup) -> CRS | None:
    """As the attributes state it, or the variable that a grid mapping names (CF conventions, section 5.6)."""
    told = group.attributes
    mapped = [told.get("grid_mapping"), *_CRS_ARRAYS]
    besides = [dict(group.arrays[name].attrs) for name in mapped if name in group.arrays]
    stated = next(
        (one[key] for one in (told, group.above, *besides) for key in _CRS_KEYS if one.get(key)), None
    )
    if stated is None:
        return None
    try:
        return CRS.from_user_input(stated).to_2d()
    except CRSError as err:
        raise StoreError(
            f"The CRS of {group.name} cannot be read ({in_short(err)}). Fetch its metadata again."
        ) from err


def _stated(told: Mapping[str, Any], height: int, width: int) -> Affine | None:
    """Of `spatial:transform`, whose first six numbers are pixel to CRS, or of `spatial:bbox`, north-up; None without both."""
    numbers = _numbers(told.get("spatial:transform"), 6)
    if numbers is not None:
        return Affine(*numbers)
    box = _numbers(told.get("spatial:bbox"), 4)
    if box is None:
        return None
    west, south, east, north = box
    return Affine((east - west) / width, 0, west, 0, (south - north) / height, north)


def _numbers(value: Any, count: int) -> list[float] | None:
    """The first numbers of a list; None where it has too few, or others."""
    if not isinstance(value, list | tuple) or len(value) < count:
        return None
    first = value[:count]
    return [float(one) for one in first] if all(isinstance(one, int | float) for one in first) else None


def _of_coordinates(group: ZarrGroup, layout: Layout) -> Affine | None:
    """Of the coordinates of rows and columns, which are those of the middles of pixels; None where there are none."""
    names = names_of(group.embeddings)
    row = _axis(group, names[layout.row], ROWS, group.embeddings.shape[layout.row])
    column = _axis(group, names[layout.column], COLUMNS, group.embeddings.shape[layout.column])
    if row is None or column is None:
        return None
    (top, down), (left, across) = row, column
    return Affine(across, 0, left - across / 2, 0, down, top - down / 2)


def _axis(group: ZarrGroup, name: str, known: tuple[str, ...], size: int) -> tuple[float, float] | None:
    """First coordinate and step of an axis; None where it has no coordinates.

    Raises:
        StoreError: steps differ, or there is one pixel only, whose size is not known.
    """
    found = next(
        (one for one in (name, *known) if one in group.arrays and group.arrays[one].shape == (size,)), None
    )
    if found is None:
        return None
    values = np.asarray(group.read(found, (slice(0, size),)), np.float64)
    steps = np.diff(values)
    if (
        not len(steps)
        or not np.isfinite(values).all()
        or np.abs(steps - steps.mean()).max() > _REGULAR * abs(steps.mean())
    ):
        raise StoreError(
            f"The coordinates {found} of {group.name} are not regular: its embeddings lie on no grid. Write them as GeoParquet, or state "
            f"spatial:transform."
        )
    return float(values[0]), float((values[-1] - values[0]) / len(steps))
