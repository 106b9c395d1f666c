"""The grids that a store's tiles lie on, each an array of a Zarr store: one CRS, resolution and phase, all dates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from affine import Affine
from pyproj import CRS

from engine.store.schema import StoredTile

# Of the dates, as the CF conventions state them.
TIME_UNITS = {
    "units": "seconds since 1970-01-01T00:00:00",
    "calendar": "proleptic_gregorian",
    "standard_name": "time",
}
# Corners that differ by less than this share of a cell lie on one grid (float64 metres).
_SAME_GRID_CELLS = 1e-3
_CHUNK_CELLS = (8, 64)
# UTM north and south of the equator are one projection but for this (EPSG 32601 to 32660, 32701 to 32760: false northing).
_FALSE_NORTHING_M = 10_000_000.0


@dataclass(frozen=True)
class ZarrGrid:
    """Tiles of one grid.

    Attributes:
        group: path of its group in the store.
        moments: dates along the first dimension, ISO 8601; (None,) where the tiles state none.
        side: cells along a chunk; tiles begin on chunks where all have one size.
    """

    group: str
    crs: str
    transform: Affine
    height: int
    width: int
    moments: tuple[str | None, ...]
    side: int
    tiles: tuple[StoredTile, ...]

    def place(self, tile: StoredTile) -> tuple[int, int, int]:
        """Date, first row and first column of a tile."""
        own = placed(tile, self.crs)
        column, row = ~self.transform @ (own.c, own.f)
        return self.moments.index(moment_of(tile)), round(row), round(column)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the CRS."""
        west, north = self.transform.c, self.transform.f
        return west, north + self.transform.e * self.height, west + self.transform.a * self.width, north


def moment_of(tile: StoredTile) -> str | None:
    """The last date that went into a tile, as the rows of a store state it."""
    stated = [moment for moment in tile.datetimes if moment]
    return stated[-1] if stated else None


def seconds_of(moment: str) -> int:
    """A time, ISO 8601, UTC where it names no zone, in seconds since 1970."""
    found = datetime.fromisoformat(moment)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def zones_of(tiles: Sequence[StoredTile]) -> list[tuple[str, str, list[StoredTile]]]:
    """Name of the group, CRS and tiles of each zone; both hemispheres of a UTM zone are one."""
    every = {tile.crs for tile in tiles}
    crs_of = {crs: _shared_crs(crs, every) for crs in every}
    found: dict[str, list[StoredTile]] = {}
    for tile in tiles:
        found.setdefault(crs_of[tile.crs], []).append(tile)
    names = [_zone_name(crs) for crs in found]
    unique = [
        f"{name}_{number}" if names.count(name) > 1 else name for number, name in enumerate(names, start=1)
    ]
    return [(name, crs, own) for name, (crs, own) in zip(unique, found.items(), strict=True)]


def grids_of(tiles: Sequence[StoredTile]) -> list[ZarrGrid]:
    """The grids of some tiles: `utm18` for the only one of a zone, `utm18/grid_000` and on where a zone has several."""
    grids = []
    for name, crs, own_tiles in zones_of(tiles):
        found: dict[tuple[object, ...], list[StoredTile]] = {}
        for tile in own_tiles:
            own = placed(tile, crs)
            phase = (_phase(own.c, own.a), _phase(own.f, own.e))
            key = (round(own.a, 6), round(own.e, 6), *phase, moment_of(tile) is None)
            found.setdefault(key, []).append(tile)
        names = [name] if len(found) == 1 else [f"{name}/grid_{number:03d}" for number in range(len(found))]
        grids += [_grid(group, crs, some) for group, some in zip(names, found.values(), strict=True)]
    return grids


def is_utm(crs: str) -> bool:
    """Whether a CRS is a UTM zone of WGS 84."""
    code = CRS.from_user_input(crs).to_epsg() or 0
    return 32601 <= code <= 32660 or 32701 <= code <= 32760


def _zone_name(crs: str) -> str:
    """utm01 to utm60; the EPSG code of another CRS."""
    code = CRS.from_user_input(crs).to_epsg() or 0
    return f"utm{code % 100:02d}" if is_utm(crs) else f"epsg{code}" if code else "other"


def _shared_crs(crs: str, every: set[str]) -> str:
    """The northern zone in the place of the southern one, where a store has tiles of both."""
    code = CRS.from_user_input(crs).to_epsg() or 0
    north = f"EPSG:{code - 100}"
    return north if is_utm(crs) and code > 32700 and north in every else crs


def placed(tile: StoredTile, crs: str) -> Affine:
    """Patch (column, row) of a tile to metres in the CRS of its grid."""
    own = tile.patch_transform
    return own if tile.crs == crs else Affine.translation(0, -_FALSE_NORTHING_M) @ own


def _phase(corner: float, step: float) -> float:
    """Where in a cell the grid's lines lie, 0 to 1."""
    part = (corner / step) % 1.0
    return round(0.0 if 1 - part < _SAME_GRID_CELLS else part, 3) + 0.0


def _grid(group: str, crs: str, tiles: Sequence[StoredTile]) -> ZarrGrid:
    own = [placed(tile, crs) for tile in tiles]
    first = own[0]
    columns = [round((one.c - first.c) / first.a) for one in own]
    rows = [round((one.f - first.f) / first.e) for one in own]
    left, top = min(columns), min(rows)
    width = max(column + tile.w for column, tile in zip(columns, tiles, strict=True)) - left
    height = max(row + tile.h for row, tile in zip(rows, tiles, strict=True)) - top
    moments = sorted({moment_of(tile) for tile in tiles}, key=lambda moment: moment or "")
    usual = int(np.median([max(tile.h, tile.w) for tile in tiles]))
    side = min(max(usual, _CHUNK_CELLS[0]), _CHUNK_CELLS[1])
    if usual > side and usual % 2 == 0:
        side = math.gcd(usual, side) if math.gcd(usual, side) >= _CHUNK_CELLS[0] else side
    return ZarrGrid(
        group, crs, first @ Affine.translation(left, top), height, width, tuple(moments), side, tuple(tiles)
    )
