"""A Zarr store that Emberscope exported: each tile is a window of one of its groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from pyproj import CRS

from engine.errors import StoreError
from engine.files import read_json
from engine.imagery.region import Region
from engine.store.products.own_exports.facts import KEY, own_facts, tiles_that_meet, understood_own
from engine.store.products.own_exports.zarr_chips import ChipList, first_rows
from engine.store.products.taken import Taken
from engine.store.schema import StoredTile, TileRows

_ROOT = "zarr.json"
_LOOKED_TILES = 10
_LISTED_DIMENSIONS = 2  # chip and dimension
# A southern tile in a group of the northern zone lies this far south of its origin (EPSG 32701 to 32760: false northing).
_FALSE_NORTHING_M = 10_000_000.0


@dataclass(frozen=True)
class _Group:
    """One grid of the store, open for reading.

    Attributes:
        moments: unix seconds of its dates; empty where none is stated.
        scales: None where numbers are embeddings.
    """

    crs: CRS
    affine: Affine
    shape: tuple[int, int]
    moments: tuple[int, ...]
    embeddings: Any
    scales: Any

    def read(self, where: tuple[int, int, int], tile: StoredTile) -> np.ndarray:
        """(h, w, D) float32 of a tile, NaN for gaps.

        Args:
            where: date, first row and first column.
        """
        date, row, column = where
        rows, columns = slice(row, row + tile.h), slice(column, column + tile.w)
        values = np.moveaxis(np.asarray(self.embeddings[date, :, rows, columns]), 0, -1).astype(np.float32)
        if self.scales is None:
            return values
        return values * np.asarray(self.scales[date, rows, columns])[..., None]

    def window(self, tile: StoredTile) -> tuple[int, int, int] | None:
        """Date, first row and first column of a tile; None where it lies on another grid or beyond this one."""
        own, grid = tile.patch_transform, self.affine
        north = own.f if CRS.from_user_input(tile.crs) == self.crs else own.f - _FALSE_NORTHING_M
        column, row = ~grid @ (own.c, north)
        off = max(abs(column - round(column)), abs(row - round(row)), abs(own.a / grid.a - 1) * tile.w)
        row, column = round(row), round(column)
        is_inside = (
            row >= 0 and column >= 0 and row + tile.h <= self.shape[0] and column + tile.w <= self.shape[1]
        )
        stated = [moment for moment in tile.datetimes if moment]
        moment = _seconds(stated[-1]) if stated else None
        if off > 1e-2 or not is_inside or (moment is None) != (not self.moments):
            return None
        if moment is not None and moment not in self.moments:
            return None
        return (0 if moment is None else self.moments.index(moment)), row, column


def is_own_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr store with the facts of a store of Emberscope."""
    return KEY in _attributes(folder)


@contextmanager
def taken_zarr(path: Path, region: Region | None) -> Iterator[Taken]:
    """The embeddings of a Zarr store.

    Raises:
        StoreError: a group or an array is damaged, or lacks a tile.
        RegionError: no tile meets the region.
    """
    facts = own_facts(_attributes(path)[KEY], path.name)
    chosen = tiles_that_meet(facts.tiles, region, path.name)
    tiles = [tile for tile, is_chosen in zip(facts.tiles, chosen, strict=True) if is_chosen]
    with _damage_told(path):
        groups = _groups(path)
        places = _places(groups, tiles, facts.tiles, path)
        shown = [places[tile.id]() for tile in tiles[:: max(1, len(tiles) // _LOOKED_TILES)]]
    every = np.concatenate([one.reshape(-1, one.shape[-1]) for one in shown])
    is_scaled = any(group.scales is not None for group in groups)
    seen = understood_own(
        facts, tiles, str(path), "Zarr (geoemb)", "number times the scale of its patch" if is_scaled else "as stored",
        every[np.isfinite(every).all(axis=1)],
    )  # fmt: skip
    yield facts.taken(seen, lambda: _rows(path, tiles, places, None if region else _count(path)), len(tiles))


_Place = Callable[[], np.ndarray]
"""Reads (h, w, D) float32 of a tile, NaN for gaps."""


def _rows(
    path: Path, tiles: Sequence[StoredTile], places: Mapping[str, _Place], expected: int | None
) -> Iterator[TileRows]:
    """The tiles; a chunk that is lost reads as a gap, and is noticed by the number of patches with data."""
    count = 0
    for tile in tiles:
        with _damage_told(path):
            values = places[tile.id]().reshape(tile.rows, -1)
        has_all = np.asarray(np.isfinite(values).all(axis=1))
        values[~has_all] = 0
        count += int(has_all.sum())
        yield TileRows(tile, (values,), has_all.astype(np.float32))
    if expected is not None and count < expected:
        raise StoreError(
            f"{path.name} has {count:,} patches with data, and {expected:,} were written: chunks of it are missing. Copy it again."
        )


def _count(path: Path) -> int | None:
    """How many patches with data were written; None where that is not stated."""
    told = _attributes(path)[KEY].get("patches_with_data")
    return told if isinstance(told, int) else None


def _places(
    groups: Sequence[_Group | ChipList], tiles: Sequence[StoredTile], every: Sequence[StoredTile], path: Path
) -> dict[str, _Place]:
    """Where each tile lies.

    Args:
        every: all tiles of the store, by whose order the rows of lists are counted.

    Raises:
        StoreError: one lies in no group.
    """
    if any(isinstance(group, ChipList) for group in groups):
        return _listed_places([group for group in groups if isinstance(group, ChipList)], every, path)
    found: dict[str, _Place] = {}
    grids = [group for group in groups if isinstance(group, _Group)]
    for tile in tiles:
        for group in grids:
            where = group.window(tile) if _same_zone(group.crs, tile.crs) else None
            if where is not None:
                found[tile.id] = partial(group.read, where, tile)
                break
        else:
            raise StoreError(f"{path.name} has no group that holds the tile {tile.id}. Export it again.")
    return found


def _listed_places(groups: Sequence[ChipList], every: Sequence[StoredTile], path: Path) -> dict[str, _Place]:
    """Where each tile lies in the lists of its zone.

    Raises:
        StoreError: a list has other chips than the tiles of its zone.
    """
    found: dict[str, _Place] = {}
    for crs in dict.fromkeys(tile.crs for tile in every):
        if not any(_same_zone(group.crs, crs) for group in groups):
            raise StoreError(
                f"{path.name} has no group of {crs}, in which some of its tiles lie. Export it again."
            )
    for group in groups:
        own_zone = {crs for crs in {tile.crs for tile in every} if _same_zone(group.crs, crs)}
        own = [tile for tile in every if tile.crs in own_zone]
        if sum(tile.rows for tile in own) != group.rows:
            raise StoreError(
                f"{path.name} has {group.rows:,} chips of {group.crs.to_string()}, and its tiles need {sum(tile.rows for tile in own):,}. "
                f"Export it again."
            )
        firsts = first_rows(own)
        found |= {tile.id: partial(group.read, firsts[tile.id], tile) for tile in own}
    return found


def _same_zone(crs: CRS, other: str) -> bool:
    """Whether coordinates differ by nothing but UTM's false northing."""
    own, code = crs.to_epsg() or 0, CRS.from_user_input(other).to_epsg() or -1
    return crs == CRS.from_user_input(other) or (32601 <= own <= 32660 and code == own + 100)


def _groups(path: Path) -> list[_Group | ChipList]:
    """Every group that holds embeddings."""
    import zarr

    found: list[_Group | ChipList] = []
    waiting: list[Any] = [zarr.open_group(path, mode="r")]
    while waiting:
        group = waiting.pop()
        waiting += [one for _, one in group.groups()]
        if "embeddings" in group:
            found.append(_group(group))
    return found


def _group(group: Any) -> _Group | ChipList:
    told: dict[str, Any] = dict(group.attrs)
    if group["embeddings"].ndim == _LISTED_DIMENSIONS:
        crs = CRS.from_user_input(told.get("proj:code") or told["proj:wkt2"])
        return ChipList(crs, group["embeddings"], group.get("scales"))
    height, width = told["spatial:shape"]
    return _Group(
        CRS.from_user_input(told.get("proj:code") or told["proj:wkt2"]), Affine(*told["spatial:transform"]), (int(height), int(width)),
        tuple(int(one) for one in group["time"][:]) if "time" in group else (), group["embeddings"], group.get("scales"),
    )  # fmt: skip


def _attributes(folder: Path) -> dict[str, Any]:
    try:
        tree = read_json(folder / _ROOT)
    except (OSError, ValueError):
        return {}
    told = tree.get("attributes") if isinstance(tree, dict) else None
    return told if isinstance(told, dict) else {}


def _seconds(moment: str) -> int:
    found = datetime.fromisoformat(moment)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, IndexError) as err:
        raise StoreError(
            f"{path.name} cannot be read as Zarr ({' '.join(str(err).split())[:100]}). Copy or export it again."
        ) from err
