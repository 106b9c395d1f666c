from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer

from engine.errors import ConfigError
from engine.jobs.configuration.config import SplitConfig
from engine.learning.splits.places import grouped, places_of
from engine.learning.splits.split import SPLITS, split_tiles
from engine.store.schema import StoredTile


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


def tiles_of(tiles: Sequence[StoredTile], config: SplitConfig, seed: int = 0) -> Mapping[str, np.ndarray]:
    return split_tiles(tiles, config, seed).tiles


@pytest.mark.parametrize("seed", range(5))
def test_every_tile_of_a_grid_is_in_exactly_one_split(seed: int) -> None:
    tiles = grid(16, 12)
    found = tiles_of(tiles, SplitConfig(), seed)
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
        found = tiles_of(tiles, SplitConfig(), seed)
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
    found = tiles_of(tiles, SplitConfig(), 0)
    assert {name: found[name].tolist() for name in SPLITS} == {
        "train": [2, 4],
        "validation": [1],
        "test": [0],
    }
    assert sum(map(len, tiles_of(tiles, SplitConfig(by="place")).values())) == len(tiles)


def test_the_seed_decides_the_draw() -> None:
    tiles = grid(16, 12)
    first, again, other = (tiles_of(tiles, SplitConfig(), seed)["test"].tolist() for seed in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize("by", ["files", "place"])
def test_a_split_that_would_be_empty_is_refused(by: str) -> None:
    tiles = [dataclasses.replace(one, split="train") for one in grid(2, 1)]
    with pytest.raises(ConfigError, match=r"leave none for .*"):
        tiles_of(tiles, SplitConfig(by=by), 0)


def test_the_splits_seed_is_the_trainings_unless_it_has_one_of_its_own() -> None:
    tiles = grid(16, 12)
    own = [tiles_of(tiles, SplitConfig(seed=3), seed)["test"].tolist() for seed in (0, 1)]
    assert own[0] == own[1] == tiles_of(tiles, SplitConfig(), 3)["test"].tolist()


@pytest.mark.parametrize(("buffer_m", "least"), [(0.0, 0.0), (1.0, 0.0), (960.0, 960.0), (1000.0, 1000.0)])
def test_a_buffer_takes_out_the_training_tiles_within_it_and_no_others(buffer_m: float, least: float) -> None:
    tiles = grid(16, 12)
    plain, found = split_tiles(tiles, SplitConfig(), 0), split_tiles(tiles, SplitConfig(buffer_m=buffer_m), 0)
    corner = np.array([one.transform[2:6:3] for one in tiles])

    def distance(index: int) -> float:  # between borders of squares of 960 m
        apart = np.maximum(np.abs(corner[found.tiles["test"]] - corner[index]) - 960, 0)
        return float(np.hypot(*apart.T).min())

    expected = [i for i in plain.tiles["train"] if not buffer_m or distance(int(i)) > buffer_m]
    assert found.tiles["train"].tolist() == expected
    assert found.left_out == len(plain.tiles["train"]) - len(expected)
    assert (found.touching > 0) == (buffer_m == 0)
    for name in ("validation", "test"):
        assert found.tiles[name].tolist() == plain.tiles[name].tolist()


def test_a_buffer_reaches_across_utm_zones() -> None:
    from pyproj import Transformer

    there = Transformer.from_crs(32610, 32611, always_xy=True).transform(700000.0, 4500000.0)
    tiles = [
        dataclasses.replace(tile("a", 700000, 4500000, "a"), split="train"),
        dataclasses.replace(tile("b", 500000, 4500000, "b"), split="train"),
        dataclasses.replace(tile("v", 400000, 4500000, "v"), split="val"),
        dataclasses.replace(tile("c", there[0] + 1500, there[1], "c"), crs="EPSG:32611", split="test"),
    ]
    assert split_tiles(tiles, SplitConfig(), 0).tiles["train"].tolist() == [0, 1]
    assert split_tiles(tiles, SplitConfig(buffer_m=1000), 0).tiles["train"].tolist() == [1]


def test_a_buffer_that_leaves_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"none for train.*buffer_m"):
        split_tiles(grid(4, 4), SplitConfig(buffer_m=1e6), 0)


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, 270])
@pytest.mark.parametrize("is_south_up", [False, True])
def test_blocks_and_buffers_follow_grids_however_they_are_turned(degrees: float, is_south_up: bool) -> None:
    turned = (
        Affine.translation(500000, 4500000)
        @ Affine.rotation(degrees)
        @ Affine.scale(30, 30 if is_south_up else -30)
    )
    tiles = [
        StoredTile(f"t{c}_{r}", "EPSG:32610", tuple((turned @ Affine.translation(32 * c, 32 * r))[:6]), 8, 8, 32, 32, (None,), ("s",), None)
        for r in range(12)
        for c in range(16)
    ]  # fmt: skip
    places = places_of(tiles)
    assert 12 <= len(places) <= 80
    assert sorted(np.concatenate(places).tolist()) == list(range(len(tiles)))
    assert max(map(len, places)) >= 4
    plain, buffered = (split_tiles(tiles, SplitConfig(buffer_m=m), 0) for m in (0, 1))
    assert plain.touching > 0 == buffered.touching


def test_blocks_of_grids_that_run_north_are_those_of_the_first_version() -> None:
    tiles = grid(16, 12)
    side = 2  # isqrt(192 // 24)
    expected: dict[tuple[int, int], list[int]] = {}
    for index, one in enumerate(tiles):
        west, north = one.transform[2], one.transform[5]
        key = int(west / (960 * side) + 1e-6), int(north / (960 * side) + 1e-6)
        expected.setdefault(key, []).append(index)
    assert sorted(places_of(tiles)) == sorted(expected.values())


def test_dates_of_a_chip_and_chips_that_share_ground_are_one_place_where_dates_are_kept_apart() -> None:
    tiles = [tile(f"{name}_date{date}", x, 4500000, name) for name, x in (("a", 500000), ("b", 500480), ("c", 509000))
             for date in (1, 2)]  # fmt: skip
    assert sorted(map(sorted, places_of(tiles))) == [[0, 1, 2, 3], [4, 5]]


def dated(name: str, x: float, date: str | None, split: str | None = None) -> StoredTile:
    return dataclasses.replace(tile(name, x, 4500000, name, split), datetimes=(date,))


def test_chips_of_one_fire_stay_together_and_other_years_are_other_fires() -> None:
    near = [dated(f"n{i}", 500000 + i * 4000, "2019-08-01T00:00:00") for i in range(3)]
    far = [dated(f"f{i}", 600000 + i * 90000, "2019-08-01T00:00:00") for i in range(5)]
    later = [dated("l", 500000, "2020-09-01T00:00:00")]
    groups = grouped([*near, *far, *later], SplitConfig(by="fire", fire_m=5000))
    assert len(set(groups[:3].tolist())) == 1
    assert len(set(groups.tolist())) == 1 + 5 + 1
    alone = grouped([*near, *far, *later], SplitConfig(by="fire", fire_m=1000))
    assert len(set(alone.tolist())) == 9


def test_fires_are_joined_across_zones() -> None:
    west = dated("w", 731000, "2019-08-01")  # near 122 degrees west at 4500000 north in zone 10
    to_zone_11 = Transformer.from_crs("EPSG:32610", "EPSG:32611", always_xy=True)
    x, y = to_zone_11.transform(731960 + 500, 4500000)
    east = dataclasses.replace(west, id="e", crs="EPSG:32611", transform=(30.0, 0.0, x, 0.0, -30.0, y))
    assert len(set(grouped([west, east], SplitConfig(by="fire", fire_m=2000)).tolist())) == 1
    assert len(set(grouped([west, east], SplitConfig(by="fire", fire_m=100)).tolist())) == 2


def test_squares_of_a_side_keep_their_tiles_together() -> None:
    tiles = grid(16, 12)
    groups = grouped(tiles, SplitConfig(by="block", block_m=960 * 4))
    assert np.unique(groups).size == 16
    found = tiles_of(tiles, SplitConfig(by="block", block_m=960 * 4, buffer_m=900))
    centres = {
        name: np.array([(t.transform[2], t.transform[5]) for t in (tiles[i] for i in found[name])])
        for name in SPLITS
    }
    apart = np.abs(centres["train"][:, None] - centres["test"][None]).max(axis=2)
    assert apart.min() >= 2 * 960


def test_the_latest_dates_test_and_those_before_them_validate() -> None:
    tiles = [dated(f"t{i}", 500000 + 9000 * i, f"2020-08-{1 + i % 10:02d}T10:00:00") for i in range(30)]
    found = tiles_of(tiles, SplitConfig(by="date"))
    days = {name: {tiles[index].datetimes[0] for index in found[name]} for name in SPLITS}
    assert max(days["train"]) < min(days["validation"]) <= max(days["validation"]) < min(days["test"])
    with pytest.raises(ConfigError, match=r"1 of the 2 have none"):
        split_tiles([tiles[0], dated("u", 1, None)], SplitConfig(by="date"), 0)


def test_splits_that_share_ground_or_a_chip_are_told() -> None:
    apart = [dated(f"t{i}", 500000 + 9000 * i, None, name) for i, name in enumerate(("train", "val", "test"))]
    assert split_tiles(apart, SplitConfig(), 0).leaks == ()
    again = [*apart, dated("again", 500300, None, "test")]  # on the ground of the training tile
    (told,) = split_tiles(again, SplitConfig(), 0).leaks
    assert "1 of the 2 test tiles share ground with a training tile" in told
    cut = [
        dataclasses.replace(tile(f"c_r0_c{i}", 500000 + 960 * i, 4500000, "c"), split=name)
        for i, name in enumerate(("train", "val", "test"))
    ]
    assert "1 of the 1 test tiles are of a chip that also trains" in " ".join(
        split_tiles(cut, SplitConfig(), 0).leaks
    )


def test_chips_one_by_one_may_share_ground_and_that_is_told() -> None:
    tiles = [dated(f"c{i}", 500000 + 300 * i, None) for i in range(10)]
    with pytest.raises(ConfigError, match="leave none"):
        split_tiles(tiles, SplitConfig(by="place"), 0)
    assert split_tiles(tiles, SplitConfig(by="chip"), 0).leaks
