"""Chips that lie on no common grid as a list for each UTM zone: an array of chips and dimensions, with the place and date of each.

The convention calls this layout irregular. Rows of a zone are those of its tiles in the order of the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.store.schema import StoredTile
from engine.views.export.zarr_grids import TIME_UNITS, moment_of, placed, seconds_of, zones_of

if TYPE_CHECKING:
    from zarr import Array, Group

# Numbers of a chunk: some megabytes, so that neither files nor what is read for one chip are many.
_CHUNK_NUMBERS = 2_000_000
_NO_TIME = -(2**63)


@dataclass(frozen=True)
class ChipZone:
    """The tiles of a zone.

    Attributes:
        group: path of its group in the store.
    """

    group: str
    crs: str
    tiles: tuple[StoredTile, ...]

    @property
    def rows(self) -> int:
        """Chips of all tiles."""
        return sum(tile.rows for tile in self.tiles)


def chip_zones(tiles: Sequence[StoredTile]) -> list[ChipZone]:
    """The zones that some tiles lie in."""
    return [ChipZone(name, crs, tuple(own)) for name, crs, own in zones_of(tiles)]


def chunk_rows(zone: ChipZone, dim: int) -> int:
    """Chips of a chunk."""
    return max(1, min(zone.rows, _CHUNK_NUMBERS // dim))


def create_places(group: Group, zone: ChipZone) -> None:
    """Middles, outlines and times of the chips, as coordinates that xarray finds."""
    boxes = np.concatenate([_boxes(tile, zone.crs) for tile in zone.tiles])
    for name, values in (("x", boxes[:, [0, 2]].mean(axis=1)), ("y", boxes[:, [1, 3]].mean(axis=1))):
        axis = group.create_array(name, shape=values.shape, dtype="float64", dimension_names=("chip",))
        axis[:] = values
        axis.attrs.update({"units": "m", "standard_name": f"projection_{name}_coordinate"})
    outline = group.create_array(
        "outline", shape=boxes.shape, dtype="float64", dimension_names=("chip", "side")
    )
    outline[:] = boxes
    outline.attrs.update({"long_name": "west, south, east and north of each chip", "units": "m"})
    moments = [moment_of(tile) for tile in zone.tiles for _ in range(tile.rows)]
    if any(moments):
        dates = group.create_array(
            "time", shape=(len(moments),), dtype="int64", dimension_names=("chip",), fill_value=_NO_TIME
        )
        dates[:] = [_NO_TIME if moment is None else seconds_of(moment) for moment in moments]
        dates.attrs.update({**TIME_UNITS, **({"_FillValue": _NO_TIME} if None in moments else {})})


def coordinates(group: Group) -> str:
    """Names of the coordinates of the chips, as the CF conventions have them."""
    return " ".join(name for name in ("x", "y", "time") if name in group)


def _boxes(tile: StoredTile, crs: str) -> np.ndarray:
    """(rows, 4) west, south, east, north of the patches of a tile."""
    own = placed(tile, crs)
    row, column = np.divmod(np.arange(tile.rows), tile.w)
    west, north = own.c + column * own.a, own.f + row * own.e
    return np.stack([west, north + own.e, west + own.a, north], axis=1)


class ChipWriter:
    """Rows of a zone, kept until they fill a chunk: written chip by chip, each chunk would be packed again and again."""

    def __init__(self, arrays: dict[str, Array[Any]], rows_a_chunk: int) -> None:
        """Nothing is written yet."""
        self._arrays, self._most = arrays, rows_a_chunk
        self._waiting: list[dict[str, np.ndarray]] = []
        self._count, self._done = 0, 0

    def add(self, rows: dict[str, np.ndarray]) -> None:
        """Rows of each array, in the order of the zone."""
        self._waiting.append(rows)
        self._count += len(next(iter(rows.values())))
        if self._count >= self._most:
            self._write(self._count // self._most * self._most)

    def close(self) -> None:
        """Write what is left."""
        self._write(self._count)

    def _write(self, count: int) -> None:
        if not count:
            return
        left: dict[str, np.ndarray] = {}
        for name, array in self._arrays.items():
            every = np.concatenate([one[name] for one in self._waiting])
            array[self._done : self._done + count] = every[:count]
            left[name] = every[count:]
        self._done, self._count = self._done + count, self._count - count
        self._waiting = [left] if self._count else []
