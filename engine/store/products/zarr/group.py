"""A Zarr group of embeddings, open for reading: its arrays, and which of their axes is what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.imagery.cubes.cube import Part
from engine.imagery.cubes.zarr_store import is_zarr

EMBEDDINGS = "embeddings"
# Names of dimensions as TESSERA and geoemb stores have them.
ROWS, COLUMNS, TIMES = (
    ("y", "northing", "lat", "latitude"),
    ("x", "easting", "lon", "longitude"),
    ("t", "time", "year"),
)


@dataclass(frozen=True)
class ZarrGroup:
    """The arrays of a group.

    Attributes:
        name: of the group, for messages.
        told, above: its attributes, and those of the store that it lies in.
        arrays: of zarr-python, by name.
        read: stored numbers of a part of an array.
    """

    name: str
    told: dict[str, Any]
    above: dict[str, Any]
    arrays: dict[str, Any]
    read: Callable[[str, Part], np.ndarray]

    @property
    def embeddings(self) -> Any:
        """The array of embeddings."""
        return self.arrays[EMBEDDINGS]

    @property
    def attributes(self) -> dict[str, Any]:
        """Those of the group, and of its embeddings where these say more."""
        return {**self.told, **dict(self.embeddings.attrs)}


@dataclass(frozen=True)
class Layout:
    """Where the axes of `embeddings` are; `time` is None where it has one date."""

    time: int | None
    dim: int
    row: int
    column: int


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


def is_zarr_of_embeddings(path: Path) -> bool:
    """Whether a folder is a Zarr group that holds `embeddings`, or a store with such groups."""
    return is_zarr(path / EMBEDDINGS) or bool(groups_of(path))


def one_group(path: Path) -> Path:
    """The group of a store that has one.

    Raises:
        StoreError: it has several, or none.
    """
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


def layout_of(group: ZarrGroup) -> Layout:
    """The axes by their names; without known ones, time, dimension, row and column in this order.

    Raises:
        StoreError: there are other axes.
    """
    names = names_of(group.embeddings)
    lower = [name.lower() for name in names]
    row, column, time = (
        next((number for number, name in enumerate(lower) if name in known), None)
        for known in (ROWS, COLUMNS, TIMES)
    )
    rest = [number for number in range(len(names)) if number not in (row, column, time)]
    if row is not None and column is not None and len(rest) == 1:
        return Layout(time, rest[0], row, column)
    if len(names) not in (3, 4):
        raise StoreError(
            f"{group.name} has embeddings by {', '.join(names)}, and nothing of them lies in rows and columns: time, dimension, row and "
            f"column are read. Write embeddings of single places as GeoParquet."
        )
    first = len(names) - 3
    return Layout(0 if first else None, first, first + 1, first + 2)


def names_of(array: Any) -> list[str]:
    """Names of an array's dimensions, as Zarr 3 or xarray keep them; made up where there are none."""
    stated = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    return [str(name) for name in stated or [f"dim_{number}" for number in range(array.ndim)]]
