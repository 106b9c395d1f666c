"""A Zarr group of embeddings on a grid, read chunk by chunk: TESSERA's zones, and any in the geoemb convention.

Such a group holds `embeddings` by time, dimension, row and column, and `scales` where they are stored in 8 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import CRS
from pyproj.exceptions import CRSError

from engine.errors import StoreError
from engine.imagery.cubes.chunk_reader import ChunkReader
from engine.imagery.cubes.cube import DAMAGE, Part
from engine.imagery.cubes.zarr_store import is_zarr, open_arrays
from engine.imagery.geobox import crs_text
from engine.imagery.raster.rasters import in_short
from engine.store.products.known import is_alphaearth
from engine.store.products.pixel_grid import Box, PixelGrid
from engine.store.products.zarr.group_attributes import above_of, source_of, stated
from engine.store.products.zarr.group_times import moments_of

EMBEDDINGS, _SCALES, _TIME = "embeddings", "scales", "time"
# Names of dimensions as TESSERA and geoemb stores have them.
_ROWS, _COLUMNS, _TIMES = (
    ("y", "northing", "lat", "latitude"),
    ("x", "easting", "lon", "longitude"),
    ("t", "time", "year"),
)


@dataclass(frozen=True)
class _Group:
    """The arrays of a group, open for reading.

    Attributes:
        told: its attributes.
        arrays: of zarr-python, by name.
    """

    told: dict[str, Any]
    arrays: dict[str, Any]
    read: Callable[[str, Part], np.ndarray]

    @property
    def embeddings(self) -> Any:
        """The array of embeddings."""
        return self.arrays[EMBEDDINGS]


@dataclass(frozen=True)
class _Layout:
    """Where the axes of `embeddings` are; `time` is None where it has one date."""

    time: int | None
    dim: int
    row: int
    column: int


def is_zarr_of_embeddings(path: Path) -> bool:
    """Whether a folder is a Zarr group that holds `embeddings`, or a store with such groups."""
    return is_zarr(path / EMBEDDINGS) or bool(groups_of(path))


@contextmanager
def opened(path: Path, year: int | None = None) -> Iterator[PixelGrid]:
    """The embeddings of a group: of each date that it states, or of a year.

    Raises:
        StoreError: several groups, no scales, a year that is not there, or a form that is not known.
        SceneError: links or codecs that are not followed, or a chunk that cannot be unpacked.
    """
    group = _one_group(path)
    try:
        told, arrays = open_arrays(group)
    except DAMAGE as err:
        raise StoreError(f"{group.name} cannot be read as Zarr ({in_short(err)}). Copy it again.") from err
    found = pixels_of(group.name, told, arrays, ChunkReader(group.name, arrays).read, above_of(group), year)
    if year is not None and [int(moment[:4]) for _, moment in found.dates] != [year]:
        raise StoreError(
            f"{group.name} has no date of {year} alone. {' '.join(found.notes)} Choose another year."
        )
    yield found


def pixels_of(
    name: str,
    told: dict[str, Any],
    arrays: dict[str, Any],
    read: Callable[[str, Part], np.ndarray],
    above: dict[str, Any],
    year: int | None = None,
) -> PixelGrid:
    """The embeddings of a group, however its chunks are read.

    Args:
        name: of the group, for messages.
        told, above: attributes of the group, and of the store that it lies in.
        year: which of its dates; None: all that it states. The newest where it states none, or not this one.

    Raises:
        StoreError: no scales, or a form that is not known.
        SceneError: a chunk that cannot be unpacked.
    """
    found = _Group(told, arrays, read)
    try:
        values = found.embeddings
        layout = _layout(_names(values), name)
        grid = _grid(found, name, values.shape[layout.row], values.shape[layout.column])
        # A decoding that such groups state linearly contradicts the length of 1: it is told by the numbers themselves.
        is_raw = is_alphaearth(source_of(found.told, above).lower()) and np.issubdtype(
            values.dtype, np.integer
        )
        scale = None if is_raw else _scale(found, name, above)
        moments = moments_of(found.arrays.get(_TIME), found.read, name)
    except DAMAGE as err:
        raise StoreError(f"{name} cannot be read as Zarr ({in_short(err)}). Copy it again.") from err
    dates = 1 if layout.time is None else values.shape[layout.time]
    numbered = list(enumerate(moments)) if len(moments) == dates else []
    of_year = [one for one in numbered if year is not None and one[1][:4] == str(year)]
    taken = of_year if of_year else numbered if year is None else numbered[-1:]
    date = taken[-1][0] if taken else dates - 1
    dim = values.shape[layout.dim]
    return PixelGrid(
        grid, dim, lambda box: _read(found, layout, box, date, scale), (), (1.0,) * dim, (0.0,) * dim,
        "a scale that is NaN or infinite, or zero in all numbers", bool(np.issubdtype(values.dtype, np.integer)),
        tuple(_notes(found, numbered, taken, dates)), _tags(found, above, dict(numbered).get(date)),
        "v times its scale" if isinstance(scale, str) else f"v times {scale[0]:g}, plus {scale[1]:g}" if isinstance(scale, tuple) else "",
        tuple(taken), lambda box, number: _read(found, layout, box, number, scale),
    )  # fmt: skip


def groups_of(path: Path) -> list[Path]:
    """The groups of a store that hold embeddings, at most two levels below it; empty where the folder is such a group itself."""
    if is_zarr(path / EMBEDDINGS):
        return []
    try:
        below = sorted(one for one in path.iterdir() if one.is_dir() and is_zarr(one))
        found = [one for one in below if is_zarr(one / EMBEDDINGS)]
        return found or sorted(
            inner
            for one in below
            for inner in one.iterdir()
            if inner.is_dir() and is_zarr(inner / EMBEDDINGS)
        )
    except OSError:
        return []


def _one_group(path: Path) -> Path:
    if is_zarr(path / EMBEDDINGS):
        return path
    groups = groups_of(path)
    if len(groups) != 1:
        named = ", ".join(one.name for one in groups[:8])
        raise StoreError(
            f"{path.name} has the groups {named}, each on a grid of its own. Give one, such as {path / groups[0].name}."
            if groups
            else f"{path.name} holds no array named {EMBEDDINGS}. Give the group that does."
        )
    return groups[0]


def _names(array: Any) -> list[str]:
    """Names of an array's dimensions, as Zarr 3 or xarray keep them; made up where there are none."""
    stated = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    return [str(name) for name in stated or [f"dim_{number}" for number in range(array.ndim)]]


def _layout(names: list[str], group: str) -> _Layout:
    """The axes by their names; without known ones, time, dimension, row and column in this order."""
    lower = [name.lower() for name in names]
    row = next((number for number, name in enumerate(lower) if name in _ROWS), None)
    column = next((number for number, name in enumerate(lower) if name in _COLUMNS), None)
    time = next((number for number, name in enumerate(lower) if name in _TIMES), None)
    rest = [number for number in range(len(names)) if number not in (row, column, time)]
    if row is not None and column is not None and len(rest) == 1:
        return _Layout(time, rest[0], row, column)
    if len(names) not in (3, 4):
        raise StoreError(
            f"{group} has embeddings by {', '.join(names)}: time, dimension, row and column are read."
        )
    first = len(names) - 3
    return _Layout(0 if first else None, first, first + 1, first + 2)


def _grid(found: _Group, group: str, height: int, width: int) -> GeoBox:
    """Of the attributes `proj:` and `spatial:`, which stand at the group or at the array; north-up in metres."""
    told = {**found.told, **dict(found.embeddings.attrs)}
    stated = (
        told.get("proj:code") or told.get("proj:wkt2") or told.get("proj:projjson") or told.get("proj:epsg")
    )
    numbers = told.get("spatial:transform")
    if stated is None or not isinstance(numbers, list | tuple) or len(numbers) < 6:
        raise StoreError(
            f"{group} has no proj:code and spatial:transform: nothing tells where its embeddings lie. Fetch its metadata again."
        )
    try:
        crs = CRS.from_user_input(stated)
    except CRSError as err:
        raise StoreError(f"The CRS of {group} cannot be read ({in_short(err)}).") from err
    transform = Affine(*(float(one) for one in list(numbers)[:6]))
    if not crs.is_projected or transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        raise StoreError(
            f"{group} is not on a grid in metres whose rows run from the north. Write it as GeoTIFF, which may be turned."
        )
    return GeoBox((height, width), transform, crs_text(crs))


def _scale(found: _Group, group: str, above: dict[str, Any]) -> str | tuple[float, float] | None:
    """The name of the array of scales, one scale and offset for all, or None where numbers are embeddings.

    Raises:
        StoreError: whole numbers without a scale.
    """
    if _SCALES in found.arrays:
        return _SCALES
    told = stated("quantization", found.told, above)
    scale: Any = told.get("scale") if isinstance(told, dict) else None
    offset = 0.0
    if isinstance(scale, dict):
        if scale.get("array_name") in found.arrays:
            return str(scale["array_name"])
        offset = float(scale.get("offset") or 0)
        scale = scale.get("scale")
    if isinstance(scale, int | float):
        return float(scale), offset
    if np.issubdtype(found.embeddings.dtype, np.integer):
        raise StoreError(
            f"{group} holds whole numbers and no array named {_SCALES}, without which they mean nothing. Fetch it too."
        )
    return None


def _read(
    found: _Group, layout: _Layout, box: Box, date: int, scale: str | tuple[float, float] | None
) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, D) numbers of a box, decoded where there are scales, and (h, w) bool: where there are embeddings."""
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    part: list[int | slice] = [slice(0, side) for side in found.embeddings.shape]
    part[layout.row], part[layout.column] = rows, columns
    if layout.time is not None:
        part[layout.time] = date
    values = found.read(EMBEDDINGS, tuple(part))
    left = [axis for axis in range(len(part)) if axis != layout.time]  # a date takes its axis away
    values = np.transpose(values, [left.index(axis) for axis in (layout.row, layout.column, layout.dim)])
    if scale is None:
        decoded = np.ascontiguousarray(values)
    elif isinstance(scale, str):
        decoded = values.astype(np.float32) * _scales(found, scale, rows, columns, date)
    else:
        decoded = values.astype(np.float32) * np.float32(scale[0]) + np.float32(scale[1])
    is_valid = np.isfinite(decoded).all(axis=-1) & (decoded != 0).any(axis=-1)
    if decoded.dtype == np.int8:  # AlphaEarth's own mark of a gap
        is_valid &= (decoded != np.int8(-128)).any(axis=-1)
    return decoded, is_valid


def _scales(found: _Group, name: str, rows: slice, columns: slice, date: int) -> np.ndarray:
    """(h, w, 1) float32; NaN is water and infinity not filled in TESSERA's stores."""
    has_dates = found.arrays[name].ndim == 3
    read = found.read(name, (date, rows, columns) if has_dates else (rows, columns)).astype(np.float32)
    return np.where(np.isfinite(read), read, np.float32("nan"))[..., None]


def _tags(found: _Group, above: dict[str, Any], moment: str | None) -> dict[str, str]:
    told = {} if moment is None else {"datetime": moment}
    source = source_of(found.told, above)
    model = (
        "alphaearth_v1" if is_alphaearth(source.lower()) else str(stated("model", found.told, above) or "")
    )
    return {**told, **({"model": model} if model else {})}


def _notes(
    found: _Group, numbered: list[tuple[int, str]], taken: list[tuple[int, str]], dates: int
) -> Iterator[str]:
    days = ", ".join(moment[:4] if moment[4:10] == "-01-01" else moment[:10] for _, moment in numbered)
    if len(taken) > 1:
        yield f"The group holds {days}: each is a date of the store. --year takes one."
    elif dates > 1:
        yield f"The group holds {days or f'{dates} dates that it does not state'}; {'one' if days else 'the last'} is read."
    shorter = [name for name in sorted(found.arrays) if name.startswith(f"{EMBEDDINGS}_d")]
    if shorter:
        yield f"It also holds {', '.join(shorter)}, the leading numbers of the same embeddings, which are not read."
