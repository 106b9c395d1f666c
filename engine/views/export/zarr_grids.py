"""The grids that a store's tiles lie on, each an array of a Zarr store: one CRS, resolution and phase, all dates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine
from pyproj import CRS

from engine.store.schema import StoredTile

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
        own = _placed(tile, self.crs)
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


def grids_of(tiles: Sequence[StoredTile]) -> list[ZarrGrid]:
    """The grids of some tiles: `utm18` for the only one of a zone, `utm18/grid_000` and on where a zone has several."""
    found: dict[tuple[object, ...], list[StoredTile]] = {}
    crs_of = {crs: _shared_crs(crs, {tile.crs for tile in tiles}) for crs in {tile.crs for tile in tiles}}
    for tile in tiles:
        crs = crs_of[tile.crs]
        own = _placed(tile, crs)
        phase = (_phase(own.c, own.a), _phase(own.f, own.e))
        found.setdefault((crs, round(own.a, 6), round(own.e, 6), *phase, moment_of(tile) is None), []).append(
            tile
        )
    of_zone: dict[str, list[list[StoredTile]]] = {}
    for key, own_tiles in found.items():
        of_zone.setdefault(str(key[0]), []).append(own_tiles)
    return [
        _grid(f"{_zone_name(crs)}/grid_{number:03d}" if len(several) > 1 else _zone_name(crs), crs, own_tiles)
        for crs, several in of_zone.items()
        for number, own_tiles in enumerate(several)
    ]


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


def _placed(tile: StoredTile, crs: str) -> Affine:
    """Patch (column, row) of a tile to metres in the CRS of its grid."""
    own = tile.patch_transform
    return own if tile.crs == crs else Affine.translation(0, -_FALSE_NORTHING_M) @ own


def _phase(corner: float, step: float) -> float:
    """Where in a cell the grid's lines lie, 0 to 1."""
    part = (corner / step) % 1.0
    return round(0.0 if 1 - part < _SAME_GRID_CELLS else part, 3) + 0.0


def _grid(group: str, crs: str, tiles: Sequence[StoredTile]) -> ZarrGrid:
    own = [_placed(tile, crs) for tile in tiles]
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
