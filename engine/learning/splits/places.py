"""Places: groups of tiles that are never divided between training, validation and test."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from affine import Affine

from engine.connected import connected, gathered
from engine.errors import ConfigError
from engine.jobs.configuration.config import SplitConfig
from engine.learning.splits.neighbours import outlines_near
from engine.store.footprints import footprints
from engine.store.schema import StoredTile

# Blocks of neighbouring tiles are made so large that about this many cover the store: enough to fill three
# splits, few enough that most neighbours of a test tile are test tiles too.
_BLOCKS = 24
# Footprints are shrunk by this share before they are tested for overlap: neighbours that touch, or whose
# lon/lat boxes overlap by a sliver because UTM north is not true north, are not one place.
_TOUCH = 0.1


def grouped(tiles: Sequence[StoredTile], config: SplitConfig) -> np.ndarray:
    """(tiles,) number of the group that each tile stays with, as the configuration divides them.

    Raises:
        ConfigError: by date, and a tile has none.
    """
    match config.by:
        case "chip":
            return _numbered([tile.scene_ids if is_chip(tile) else (tile.id,) for tile in tiles])
        case "fire":
            return _fires(tiles, config.fire_m)
        case "block":
            return _numbered([_square(tile, config.block_m) for tile in tiles])
        case "date":
            return _dates(tiles)
        case _:
            return place_numbers(tiles)


def place_numbers(tiles: Sequence[StoredTile]) -> np.ndarray:
    """(tiles,) number of the place that each tile belongs to."""
    numbers = np.zeros(len(tiles), int)
    for number, members in enumerate(places_of(tiles)):
        numbers[members] = number
    return numbers


def places_of(tiles: Sequence[StoredTile]) -> list[list[int]]:
    """Tile indices by place: chips that share ground, and blocks of neighbouring tiles of larger scenes."""
    chips = [index for index, tile in enumerate(tiles) if is_chip(tile)]
    gridded = [index for index, tile in enumerate(tiles) if not is_chip(tile)]
    return [*_overlapping(tiles, chips), *_blocks(tiles, gridded)]


def _numbered(keys: Sequence[object]) -> np.ndarray:
    """Numbers of equal keys, in the order of their first appearance."""
    number_of: dict[object, int] = {}
    return np.array([number_of.setdefault(key, len(number_of)) for key in keys], int)


def _square(tile: StoredTile, side_m: float) -> tuple[str, int, int]:
    """The square of its CRS that a tile's centre lies in."""
    x, y = tile.pixel_transform @ (tile.width_px / 2, tile.height_px / 2)
    return tile.crs, math.floor(x / side_m), math.floor(y / side_m)


def _dates(tiles: Sequence[StoredTile]) -> np.ndarray:
    """Numbers of the days of the tiles' last scenes, in the order of time."""
    days = [max((date[:10] for date in tile.datetimes if date), default="") for tile in tiles]
    if "" in days:
        raise ConfigError(
            f"split.by: date needs a date of each tile, and {days.count('')} of the {len(tiles)} have none. "
            f"Set scene.datetime, or divide by place."
        )
    order = {day: number for number, day in enumerate(sorted(set(days)))}
    return np.array([order[day] for day in days], int)


def _fires(tiles: Sequence[StoredTile], distance_m: float) -> np.ndarray:
    """Tiles of one year that lie within a distance of one another, or are joined by others that do."""
    years = np.array([max((date[:4] for date in tile.datetimes if date), default="") for tile in tiles])
    numbers, count = np.zeros(len(tiles), int), 0
    for year in np.unique(years):
        own = np.flatnonzero(years == year)
        groups = connected(len(own), outlines_near([tiles[index] for index in own.tolist()], distance_m))
        numbers[own] = groups + count
        count += int(groups.max()) + 1
    return numbers


def is_chip(tile: StoredTile) -> bool:
    """Whether a tile is a chip or a part or one date of it: their ids begin with their scene's, those of the grid do not."""
    return any(
        tile.id == scene_id or tile.id.startswith((f"{scene_id}_r", f"{scene_id}_date"))
        for scene_id in tile.scene_ids
    )


def _overlapping(tiles: Sequence[StoredTile], chosen: list[int]) -> list[list[int]]:
    """Connected groups of tiles that share ground or a scene."""
    if not chosen:
        return []
    boxes = footprints([dataclasses.replace(tiles[index], h=1, w=1) for index in chosen]).bounds.copy()
    boxes[boxes[:, 0] > boxes[:, 2], 2] += 360  # those over the antimeridian
    low, high = boxes[:, :2], boxes[:, 2:]
    margin = _TOUCH / 2 * (high - low)
    low, high = low + margin, high - margin
    first_of_scene: dict[str, int] = {}
    pairs: list[tuple[int, int]] = []
    for here, index in enumerate(chosen):
        pairs += [(here, first_of_scene.setdefault(scene_id, here)) for scene_id in tiles[index].scene_ids]
        meets = (low[:here] < high[here]).all(axis=1) & (high[:here] > low[here]).all(axis=1)
        pairs += [(here, there) for there in np.flatnonzero(meets).tolist()]
    return gathered(chosen, connected(len(chosen), np.array(pairs, int).reshape(-1, 2).T))


def _blocks(tiles: Sequence[StoredTile], chosen: list[int]) -> list[list[int]]:
    """Squares of neighbouring tiles, counted from the origin of their CRS along the rows and columns of their grid."""
    side = max(1, math.isqrt(len(chosen) // _BLOCKS))
    blocks: dict[tuple[str, int, int], list[int]] = {}
    for index in chosen:
        tile = tiles[index]
        grid = tile.pixel_transform
        across, down = ~Affine(grid.a, grid.b, 0, grid.d, grid.e, 0) @ (
            grid.c,
            grid.f,
        )  # pixels from the origin
        column = math.floor(across / (tile.width_px * side) + 1e-6)
        row = math.floor(-down / (tile.height_px * side) + 1e-6)
        blocks.setdefault((tile.crs, column, row), []).append(index)
    return list(blocks.values())
