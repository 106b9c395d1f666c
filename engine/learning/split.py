"""Train, validation and test split by place: whole places, never single patches.

A place is a group of chips that share ground, or a block of neighbouring tiles of a larger scene.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine

from engine.errors import ConfigError
from engine.jobs.config import SplitConfig
from engine.learning.neighbours import near
from engine.store.footprints import footprints
from engine.store.schema import StoredTile

SPLITS = ("train", "validation", "test")
_STORED_NAMES = {"train": "train", "val": "validation", "test": "test"}
# Blocks of neighbouring tiles are made so large that about this many cover the store: enough to fill three
# splits, few enough that most neighbours of a test tile are test tiles too.
_BLOCKS = 24
# Footprints are shrunk by this share before they are tested for overlap: neighbours that touch, or whose
# lon/lat boxes overlap by a sliver because UTM north is not true north, are not one place.
_TOUCH = 0.1


@dataclass(frozen=True)
class Split:
    """Tiles by what they are used for.

    Attributes:
        tiles: indices into `store.tiles` for "train", "validation" and "test", ascending.
        places: (tiles,) number of the place that each tile of the store belongs to.
        left_out: training tiles that the buffer around the test tiles has taken out.
        touching: share of the test tiles that touch a training tile, 0 to 1.
    """

    tiles: Mapping[str, np.ndarray]
    places: np.ndarray
    left_out: int
    touching: float

    def places_of(self, name: str) -> int:
        """Number of places of a split."""
        return len(np.unique(self.places[self.tiles[name]]))


def split_tiles(tiles: Sequence[StoredTile], config: SplitConfig, seed: int) -> Split:
    """Divide the tiles of a store into training, validation and test.

    By files: the split that each scene came with; tiles without one are left out. By place: chips that share
    ground stay together, tiles of a large scene are joined to blocks, and places are drawn at random.

    Args:
        seed: of the draw where `config.seed` is null.

    Raises:
        ConfigError: a split would be empty.
    """
    places = place_numbers(tiles)
    has_files = any(tile.split for tile in tiles)
    if config.by == "files" or (config.by == "auto" and has_files):
        stored = [_STORED_NAMES.get(tile.split or "") for tile in tiles]
        found = {name: np.array([i for i, own in enumerate(stored) if own == name], int) for name in SPLITS}
        step = "Complete splits/train.txt, val.txt and test.txt beside the chips, or set split.by: place."
    else:
        found = _draw(places, config, np.random.default_rng(seed if config.seed is None else config.seed))
        step = "Extract a larger region, smaller tiles (tiles.size_px) or more scenes, so that there are three places or more."
    before = len(found["train"])
    if config.buffer_m:
        found["train"] = _beyond(tiles, found["train"], found["test"], config.buffer_m)
        step = f"{step} Or choose a smaller split.buffer_m." if before > len(found["train"]) else step
    empty = [name for name in SPLITS if not len(found[name])]
    if empty:
        raise ConfigError(
            f"The {len(tiles)} tile(s) leave none for {' and '.join(empty)}. Training, validation and test need one "
            f"place each. {step}"
        )
    touching = touching_share(tiles, found["test"], found["train"])
    return Split(found, places, before - len(found["train"]), touching)


def touching_share(tiles: Sequence[StoredTile], test: Iterable[int], train: Iterable[int]) -> float:
    """Share of the test tiles that touch or overlap a training tile, 0 to 1."""
    touches = near([tiles[index] for index in test], [tiles[index] for index in train], 0.0)
    return float(touches.mean()) if len(touches) else 0.0


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


def _beyond(
    tiles: Sequence[StoredTile], train: np.ndarray, test: np.ndarray, distance_m: float
) -> np.ndarray:
    """Training tiles that lie farther than a distance from every test tile."""
    return train[~near([tiles[index] for index in train], [tiles[index] for index in test], distance_m)]


def _draw(places: np.ndarray, config: SplitConfig, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Tile indices of each split, from places drawn at random."""
    count = int(places.max(initial=-1)) + 1
    order = generator.permutation(count)
    n_test = max(1, round(config.test * count))
    n_validation = max(1, round(config.validation * count))
    drawn = {
        "test": order[:n_test],
        "validation": order[n_test : n_test + n_validation],
        "train": order[n_test + n_validation :],
    }
    return {name: np.flatnonzero(np.isin(places, chosen)) for name, chosen in drawn.items()}


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
    group = list(range(len(chosen)))

    def root(member: int) -> int:
        while group[member] != member:
            group[member] = group[group[member]]
            member = group[member]
        return member

    first_of_scene: dict[str, int] = {}
    for here, index in enumerate(chosen):
        for scene_id in tiles[index].scene_ids:
            group[root(here)] = root(first_of_scene.setdefault(scene_id, here))
        meets = (low[:here] < high[here]).all(axis=1) & (high[:here] > low[here]).all(axis=1)
        for there in np.flatnonzero(meets):
            group[root(here)] = root(int(there))
    members: dict[int, list[int]] = {}
    for here, index in enumerate(chosen):
        members.setdefault(root(here), []).append(index)
    return list(members.values())


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
