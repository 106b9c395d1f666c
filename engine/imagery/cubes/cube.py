"""A cube of dates, understood: its bands, its grid and its times, whatever file or folder it is stored in."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from engine.errors import SceneError
from engine.imagery.cubes.bands import CubeBand, bands_of, images_of, of_one_length, of_one_type
from engine.imagery.cubes.coordinates import affine_of, crs_of, dimension, times_of

if TYPE_CHECKING:
    import xarray as xr

# A chunk is unpacked as a whole: a small file may declare one of many gigabytes.
LARGEST_CHUNK_BYTES = 512_000_000
# What libraries raise where stored values cannot be unpacked.
DAMAGE = (OSError, ValueError, KeyError, RuntimeError, TypeError, EOFError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class Opened:
    """A cube's arrays before they are understood.

    Attributes:
        lock: is held while values are read, where a library reads one at a time.
        damaged: names the piece of a variable that cannot be read, given the slices that were asked for of each dimension;
            "" where none can be named.
        notes: what is to be said of how it is stored.
    """

    path: Path
    dataset: xr.Dataset = field(repr=False)
    lock: AbstractContextManager[Any]
    damaged: Callable[[str, dict[str, Any]], str] = lambda _, __: ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cube:
    """A cube, understood.

    Attributes:
        dates: in the file's order; empty where it has one image without a time.
        axes: dimensions of time (None: there is none), rows, columns and bands (None).
        shape: rows and columns as they lie in the file.
        chunk: rows and columns of a chunk.
        crs: as WKT.
        tags: of the file, in words.
        notes: what was assumed or left out.
    """

    opened: Opened
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
    def path(self) -> Path:
        """The file or folder."""
        return self.opened.path

    @property
    def images(self) -> int:
        """How many there are of each band."""
        return max(1, len(self.dates))

    def read(self, image: int, band: int, rows: slice, columns: slice) -> np.ndarray:
        """Stored values (rows, columns) of one band of one image, both from 0.

        Raises:
            SceneError: a piece of the cube is damaged, by its name where it has one; else as the library says it.
        """
        own = self.bands[band]
        _, y, x, _ = self.axes
        place = self._place(own, image, rows, columns)
        try:
            with self.opened.lock:
                found = self.opened.dataset[own.variable].isel(place).transpose(y, x)
                values = np.asarray(found.values, self.dtype)
        except DAMAGE as err:
            piece = self.opened.damaged(own.variable, place)
            if not piece:
                raise
            why = " ".join(str(err).split())[:120]
            raise SceneError(
                f"{self.path.name}: the chunk {piece} is damaged or cut short ({why}). Copy or download it again."
            ) from err
        if own.valid is not None:
            values = np.where((values < own.valid[0]) | (values > own.valid[1]), own.gap, values)
        return values.astype(self.dtype, copy=False)

    def _place(self, band: CubeBand, image: int, rows: slice, columns: slice) -> dict[str, Any]:
        time, y, x, position = self.axes
        place: dict[str, Any] = {y: rows, x: columns}
        if time is not None and time in self.opened.dataset[band.variable].dims:
            place[time] = image
        if band.position is not None:
            assert position is not None
            place[position] = band.position
        return place


def understood(opened: Opened) -> Cube:
    """The cube in some arrays.

    Raises:
        SceneError: nothing tells where or when its pixels are, or which arrays are bands.
    """
    where, dataset = opened.path.name, opened.dataset
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
    said = kept[0].encoding
    chunk = said.get("chunksizes") or said.get("chunks") or kept[0].shape
    sides = dict(zip(kept[0].dims, chunk, strict=True))
    return Cube(
        opened, dates, tuple(bands_of(dataset, kept, axis, where)), (when, y, x, axis),
        (dataset.sizes[y], dataset.sizes[x]), (int(sides[y]), int(sides[x])), affine, crs, dtype,
        tuple((str(key), str(value)[:500]) for key, value in dataset.attrs.items() if isinstance(value, str)),
        tuple(item for item in (*opened.notes, note, *notes) if item),
    )  # fmt: skip


def _alone(dataset: xr.Dataset, where: str) -> tuple[datetime, ...]:
    """The time of one image, where a scalar coordinate states it."""
    if "time" in dataset.variables and dataset["time"].size == 1:
        return times_of(dataset, "time", where)
    return ()
