"""A cube of dates, understood: its bands, its grid and its times, whatever file or folder it is stored in."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Sequence
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


Part = tuple[int | slice, ...]
"""A place along each dimension of a variable."""


@dataclass(frozen=True)
class Opened:
    """A cube's arrays before they are understood.

    Attributes:
        dataset: what describes them, undecoded.
        read: stored values of a part of a variable; any thread may call it.
        notes: what is to be said of how it is stored.
        ahead: brings several parts here side by side, where reading them one after another would wait for each; None: it would not.
    """

    path: Path
    dataset: xr.Dataset = field(repr=False)
    read: Callable[[str, Part], np.ndarray] = field(repr=False)
    notes: tuple[str, ...] = ()
    ahead: Callable[[Sequence[tuple[str, Part]]], None] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Cube:
    """A cube, understood.

    Attributes:
        dates: in the file's order; empty where it has one image without a time.
        dims: the dimensions of each variable that is read, as they lie in the file.
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
    dims: dict[str, tuple[str, ...]]
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
        dims = self.dims[own.variable]
        values = self.opened.read(own.variable, self._part(own, dims, image, rows, columns))
        if dims.index(self.axes[2]) < dims.index(self.axes[1]):  # columns first
            values = values.T
        values = np.asarray(values, self.dtype)
        if own.valid is not None:
            values = np.where((values < own.valid[0]) | (values > own.valid[1]), own.gap, values)
        return values.astype(self.dtype, copy=False)

    def ahead(self, parts: Sequence[tuple[int, int, slice, slice]]) -> None:
        """Bring parts that are read next, each an image, a band, rows and columns, where they come over a network.

        Raises:
            SceneError: as `read`.
        """
        if self.opened.ahead is None:
            return
        named = [(self.bands[band], image, rows, columns) for image, band, rows, columns in parts]
        self.opened.ahead([
            (own.variable, self._part(own, self.dims[own.variable], image, rows, columns))
            for own, image, rows, columns in named
        ])  # fmt: skip

    def _part(self, band: CubeBand, dims: tuple[str, ...], image: int, rows: slice, columns: slice) -> Part:
        time, y, x, position = self.axes
        place: dict[str | None, int | slice] = {y: rows, x: columns, time: image}
        if band.position is not None:
            place[position] = band.position
        return tuple(place[dim] for dim in dims)


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
        opened, dates, tuple(bands_of(dataset, kept, axis, where)),
        {str(one.name): tuple(map(str, one.dims)) for one in kept}, (when, y, x, axis),
        (dataset.sizes[y], dataset.sizes[x]), (int(sides[y]), int(sides[x])), affine, crs, dtype,
        tuple((str(key), str(value)[:500]) for key, value in dataset.attrs.items() if isinstance(value, str)),
        tuple(item for item in (*opened.notes, note, *notes) if item),
    )  # fmt: skip


def _alone(dataset: xr.Dataset, where: str) -> tuple[datetime, ...]:
    """The time of one image, where a scalar coordinate states it."""
    if "time" in dataset.variables and dataset["time"].size == 1:
        return times_of(dataset, "time", where)
    return ()
