from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from engine.errors import ConfigError
from engine.jobs.config import SplitConfig
from engine.learning.split import SPLITS, places_of, split_places
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore


def tile(name: str, x: float, y: float, scene: str, split: str | None = None) -> StoredTile:
    return StoredTile(
        name, "EPSG:32610", (30.0, 0.0, x, 0.0, -30.0, y), 8, 8, 32, 32, (None,), (scene,), split
    )


def grid(columns: int, rows: int) -> list[StoredTile]:
    return [
        tile(f"t{c}_{r}", 480000 + c * 960, 4500480 + r * 960, "scene")
        for r in range(rows)
        for c in range(columns)
    ]


def store_of(tiles: Sequence[StoredTile]) -> EmbeddingStore:
    return cast(EmbeddingStore, SimpleNamespace(tiles=tuple(tiles)))


@pytest.mark.parametrize("seed", range(5))
def test_every_tile_of_a_grid_is_in_exactly_one_split(seed: int) -> None:
    tiles = grid(16, 12)
    found = split_places(store_of(tiles), SplitConfig(), seed)
    assert sorted(np.concatenate([found[name] for name in SPLITS]).tolist()) == list(range(len(tiles)))
    assert 0.1 < len(found["test"]) / len(tiles) < 0.3


def test_neighbouring_tiles_of_a_large_scene_share_a_block() -> None:
    places = places_of(grid(16, 12))
    assert 12 <= len(places) <= 80
    assert max(map(len, places)) >= 4


def test_tiles_cut_from_one_chip_stay_together_whatever_the_seed() -> None:
    tiles = [
        tile(f"c{i}_r{r}_c0", 500000 + i * 9000, 4500000 - r * 960, f"c{i}")
        for i in range(10)
        for r in (0, 32)
    ]
    for seed in range(5):
        found = split_places(store_of(tiles), SplitConfig(), seed)
        owners = [{tiles[index].scene_ids for index in found[name]} for name in SPLITS]
        assert not owners[0] & owners[1] | owners[0] & owners[2] | owners[1] & owners[2]


def test_chips_of_the_same_ground_are_one_place_and_touching_ones_are_two() -> None:
    tiles = [
        tile("a", 500000, 4500000, "a"), tile("b", 500300, 4500300, "b"),  # a and b overlap
        tile("c", 500960, 4500000, "c"), tile("d", 509000, 4500000, "d"),
    ]  # fmt: skip
    assert sorted(map(sorted, places_of([tiles[0], tiles[2], tiles[3]]))) == [[0], [1], [2]]
    assert [0, 1] in [sorted(place) for place in places_of([tiles[0], tiles[1], tiles[3]])]


def test_files_decide_where_there_are_any_and_tiles_without_one_are_left_out() -> None:
    tiles = [
        tile(f"t{i}", 500000 + i * 9000, 4500000, f"t{i}", split)
        for i, split in enumerate(["test", "val", "train", None, "train"])
    ]
    found = split_places(store_of(tiles), SplitConfig(), 0)
    assert {name: found[name].tolist() for name in SPLITS} == {
        "train": [2, 4],
        "validation": [1],
        "test": [0],
    }
    assert sum(map(len, split_places(store_of(tiles), SplitConfig(by="place"), 0).values())) == len(tiles)


def test_the_seed_decides_the_draw() -> None:
    store = store_of(grid(16, 12))
    first, again, other = (split_places(store, SplitConfig(), seed)["test"].tolist() for seed in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize("by", ["files", "place"])
def test_a_split_that_would_be_empty_is_refused(by: str) -> None:
    tiles = [dataclasses.replace(one, split="train") for one in grid(2, 1)]
    with pytest.raises(ConfigError, match=r"none for .*"):
        split_places(store_of(tiles), SplitConfig(by=by), 0)
