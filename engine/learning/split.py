"""Which places teach, which choose and which judge: whole places, never single patches."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from engine.errors import ConfigError
from engine.jobs.config import SplitConfig
from engine.store.footprints import footprints
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

SPLITS = ("train", "validation", "test")
_STORED_NAMES = {"train": "train", "val": "validation", "test": "test"}
# Blocks of neighbouring tiles are made so large that about this many cover the store: enough to fill three
# splits, few enough that most neighbours of a test tile are test tiles too.
_BLOCKS = 24
# Footprints are shrunk by this share before they are tested for overlap: neighbours that touch, or whose
# lon/lat boxes overlap by a sliver because UTM north is not true north, are not one place.
_TOUCH = 0.1


def split_places(store: EmbeddingStore, config: SplitConfig, seed: int) -> dict[str, np.ndarray]:
    """Tile indices (into `store.tiles`) of each split, ascending.

    By files: the split that each scene came with; tiles without one are left out. By place: chips that share
    ground stay together, tiles of a large scene are joined to blocks, and places are drawn at random.

    Returns:
        "train", "validation" and "test", none of them empty, none sharing a place with another.

    Raises:
        ConfigError: a split would be empty.
    """
    has_files = any(tile.split for tile in store.tiles)
    if config.by == "files" or (config.by == "auto" and has_files):
        found = {
            name: [i for i, tile in enumerate(store.tiles) if _STORED_NAMES.get(tile.split or "") == name]
            for name in SPLITS
        }
        cure = "Complete splits/train.txt, val.txt and test.txt beside the chips, or set split.by: place."
    else:
        found = _draw(places_of(store.tiles), config, np.random.default_rng(seed))
        cure = "Extract a larger region, smaller tiles (tiles.size_px) or more scenes, so that there are three places or more."
    empty = [name for name in SPLITS if not found[name]]
    if empty:
        raise ConfigError(
            f"places for training, validation and test were wanted, found none for {' and '.join(empty)} "
            f"among {len(store.tiles)} tile(s). {cure}"
        )
    return {name: np.array(sorted(found[name]), dtype=np.int64) for name in SPLITS}


def places_of(tiles: Sequence[StoredTile]) -> list[list[int]]:
    """Tile indices by place: chips that share ground, and blocks of neighbouring tiles of larger scenes."""
    chips = [index for index, tile in enumerate(tiles) if is_chip(tile)]
    gridded = [index for index, tile in enumerate(tiles) if not is_chip(tile)]
    return [*_overlapping(tiles, chips), *_blocks(tiles, gridded)]


def _draw(
    places: list[list[int]], config: SplitConfig, generator: np.random.Generator
) -> dict[str, list[int]]:
    order = generator.permutation(len(places))
    n_test = max(1, round(config.test * len(places)))
    n_validation = max(1, round(config.validation * len(places)))
    drawn = {
        "test": order[:n_test],
        "validation": order[n_test : n_test + n_validation],
        "train": order[n_test + n_validation :],
    }
    return {name: [tile for place in chosen for tile in places[place]] for name, chosen in drawn.items()}


def is_chip(tile: StoredTile) -> bool:
    """Tiles of a chip carry its scene's name, alone or with the place in it; tiles of the fixed grid do not."""
    return any(tile.id == scene_id or tile.id.startswith(f"{scene_id}_r") for scene_id in tile.scene_ids)


def _overlapping(tiles: Sequence[StoredTile], chosen: list[int]) -> list[list[int]]:
    """Connected groups of tiles that share ground or a scene."""
    if not chosen:
        return []
    boxes = np.concatenate([footprints(dataclasses.replace(tiles[index], h=1, w=1))[1] for index in chosen])
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
    side = max(1, math.isqrt(len(chosen) // _BLOCKS))
    blocks: dict[tuple[str, int, int], list[int]] = {}
    for index in chosen:
        tile = tiles[index]
        grid = tile.pixel_transform
        column = math.floor(grid.c / (grid.a * tile.width_px * side) + 1e-6)
        row = math.floor(grid.f / (-grid.e * tile.height_px * side) + 1e-6)
        blocks.setdefault((tile.crs, column, row), []).append(index)
    return list(blocks.values())
