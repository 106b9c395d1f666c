"""Tiles that overlap, cross zones and dates: each patch of ground once, from where it is seen best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import assume, given
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.features import rasterize
from shapely.geometry import box

from engine.errors import RegionError, SceneError
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.sources.raster_file import file_scene
from engine.imagery.sources.scene_stack import files_scenes
from engine.imagery.tiles.tile_plan import cut, cut_best
from engine.imagery.tiles.windows import PlannedTile, Tiling

WriteRaster = Callable[..., Path]
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
PATCH = 16


def scene_of(write_raster: WriteRaster, height: int = 400, width: int = 300) -> Scene:
    pixels = np.random.default_rng(3).integers(100, 4000, (6, height, width)).astype(np.int16)
    return file_scene(write_raster("wide.tif", pixels))


def depth(item: PlannedTile, x: float, y: float) -> float:
    """How far a place lies from the nearest border of a tile's window, metres; negative outside."""
    west, south, east, north = item.window.bounds_m
    return min(x - west, east - x, y - south, north - y)


@pytest.mark.parametrize("overlap", [16, 32, 48, 64])
def test_each_patch_comes_from_the_window_in_which_it_lies_deepest(
    write_raster: WriteRaster, overlap: int
) -> None:
    scene = scene_of(write_raster, 480, 480)
    items = cut([scene], None, Tiling(96, PATCH, overlap_px=overlap))
    inside = [i for i in items if depth_to(scene, i) >= 0]  # at the scene's edge windows move onto the scene
    assert len(inside) > 3
    for item in inside:
        for row in range(0, item.tile.height, PATCH):
            for column in range(0, item.tile.width, PATCH):
                x, y = item.tile.transform @ (column + PATCH / 2, row + PATCH / 2)
                assert depth(item, x, y) >= max(depth(other, x, y) for other in inside) - 1e-6


def depth_to(scene: Scene, item: PlannedTile) -> float:
    """How far a tile lies from the scene's border, less the widest margin, metres."""
    west, south, east, north = scene.bounds_m
    left, bottom, right, top = item.tile.bounds_m
    return min(left - west, east - right, bottom - south, north - top) - 96 * scene.gsd_m


def test_tiles_with_overlap_cover_the_scene_once_and_lie_inside_their_windows(
    write_raster: WriteRaster,
) -> None:
    scene = scene_of(write_raster)
    items = cut([scene], None, Tiling(96, PATCH, overlap_px=32))
    squares = [box(*item.tile.bounds_m) for item in items]
    ground = box(*scene.bounds_m)
    assert sum(square.intersection(ground).area for square in squares) == pytest.approx(ground.area)
    assert all(box(*item.window.bounds_m).covers(square) for item, square in zip(items, squares, strict=True))
    assert {item.window.height for item in items} == {item.window.width for item in items} == {96}
    assert all(ground.buffer(PATCH * 30).covers(box(*item.window.bounds_m)) for item in items)
    assert all(margin % PATCH == 0 for item in items for margin in item.margin_px)


@given(
    st.integers(-200, 80),
    st.integers(16, 900),
    st.sampled_from([0, 16, 32, 48, 80]),
    st.sampled_from([4, 16]),
)
def test_a_window_sees_no_padding_but_in_the_patch_in_which_the_ground_ends(
    first: int, length: int, overlap: int, row_px: int
) -> None:
    tiling = Tiling(96, PATCH, overlap_px=overlap, row_px=row_px)
    side, end = 96 - overlap, first + length
    assume(end > 0 and first < side)
    whole = Tile.of("t", "EPSG:32618", Affine(20, 0, 0, 0, -20, 0), side, side)
    tile, window = tiling.placed(whole, box(first * 20, -end * 20, end * 20, -first * 20))
    begins, ends = round(tile.transform.c / 20), round(tile.transform.c / 20) + tile.width
    start, stop = round(window.transform.c / 20), round(window.transform.c / 20) + window.width

    # The tile is the patches with ground, and no others.
    assert max(first, 0) - row_px < begins <= max(first, 0)
    assert min(end, side) <= ends < min(end, side) + row_px
    assert (tile.height, tile.transform.f) == (tile.width, -tile.transform.c)
    # The window holds it, on its patches, and lies on the ground where that is large enough.
    assert start <= begins and ends <= stop
    assert (begins - start) % row_px == 0 and window.width % PATCH == 0
    if length >= 96 + 2 * row_px:
        assert window.width == 96
        assert start > first - row_px and stop < end + row_px
        assert start >= first or start == begins
        assert stop <= end or stop == ends
    else:
        assert max(first - start, 0) + max(stop - end, 0) < 2 * row_px + PATCH


def test_shifted_passes_reach_half_a_patch_around_the_tile(write_raster: WriteRaster) -> None:
    plain = cut([scene_of(write_raster)], None, Tiling(64, PATCH))
    finer = cut([scene_of(write_raster)], None, Tiling(64, PATCH, reach_px=12))
    assert [item.tile for item in plain] == [item.tile for item in finer]
    assert all(
        margin_px - 6 == margin
        for item, other in zip(finer, plain, strict=True)
        for margin_px, margin in zip(item.margin_px, other.margin_px, strict=True)
    )
    assert {item.window.width for item in finer} == {76}


def test_windows_of_a_chip_stay_on_the_chip(write_raster: WriteRaster) -> None:
    chip = replace(scene_of(write_raster, 256, 256), is_chip=True)
    items = cut([chip], None, Tiling(96, PATCH, overlap_px=32))
    ground = box(*chip.bounds_m)
    assert len(items) == 16
    assert all(ground.covers(box(*item.window.bounds_m)) for item in items)


def pair(
    write_raster: WriteRaster, tmp_path: Path, second: str, west: float, **tags: str
) -> tuple[Scene, ...]:
    """Two rasters of 128 px of 30 m: one in zone 17 up to 81 W about, one in another CRS from there on or before."""
    full = np.full((6, 128, 128), 1000, np.int16)
    write_raster("two/a.tif", full, transform=Affine(30, 0, 757_000, 0, -30, 4_100_000), crs="EPSG:32617",
                 nodata=-9999, EMBERSCOPE_CLOUD_PCT="3")  # fmt: skip
    write_raster("two/b.tif", full * 2, transform=Affine(30, 0, west, 0, -30, 4_100_000), crs=second,
                 nodata=-9999, **({"EMBERSCOPE_CLOUD_PCT": "20"} | tags))  # fmt: skip
    return files_scenes([tmp_path / "two"])


def counted(items: Sequence[PlannedTile]) -> float:
    """Square metres of all pixels that are asked for and valid."""
    total = 0.0
    for item in items:
        chip = read_chip(item.scenes, item.tile, BANDS, item.fills)
        valid = chip.valid[0]
        if item.area is not None:
            shapes = [item.area] if not item.area.is_empty else []
            valid = valid & rasterize(shapes, out_shape=valid.shape, transform=item.tile.transform).astype(
                bool
            )
        total += float(valid.sum()) * item.tile.gsd_m**2
    return total


def test_two_zones_that_share_ground_are_covered_once_each_tile_in_its_own_zone(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    x, _ = Transformer.from_crs(32617, 32618, always_xy=True).transform(757_000 + 64 * 30, 4_100_000)
    scenes = pair(write_raster, tmp_path, "EPSG:32618", round(x / 30) * 30.0)
    items = cut_best(scenes, None, Tiling(32, PATCH))
    assert [scene.crs for scene in scenes] == ["EPSG:32617", "EPSG:32618"]
    assert {item.tile.crs for item in items} == {"EPSG:32617", "EPSG:32618"}
    assert len({item.tile.id for item in items}) == len(items)
    first, second = (box(*scene.bounds_m) for scene in scenes)
    shared = _in_zone(scenes[0], "EPSG:32618").intersection(second).area
    assert 0.2 < shared / second.area < 0.8
    assert counted(items) == pytest.approx(first.area + second.area - shared, rel=0.01)


def _in_zone(scene: Scene, crs: str) -> object:
    from engine.imagery.geobox import area_in_crs

    return area_in_crs(scene.footprint, crs)


def test_where_dates_overlap_the_least_cloudy_counts_then_the_newest_and_the_next_fills_gaps(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    grid = Affine(30, 0, 640 * 30 * 20, 0, -30, 4_096_000)
    for name, value, cloud, day in (
        ("cloudy", 1000, "40", "2021-08-01"),
        ("old", 2000, "5", "2021-06-01"),
        ("new", 3000, "5", "2021-07-01"),
    ):
        pixels = np.full((6, 64, 64), value, np.int16)
        if name == "new":
            pixels[:, :10, :10] = -9999
        write_raster(f"d/{name}.tif", pixels, transform=grid, nodata=-9999, EMBERSCOPE_CLOUD_PCT=cloud,
                     EMBERSCOPE_DATETIME=f"{day}T16:00:00")  # fmt: skip
    scenes = files_scenes([tmp_path / "d"])
    assert [scene.id for scene in scenes] == ["new", "old", "cloudy"]
    items = cut_best(scenes, None, Tiling(64, PATCH))
    seen = [
        read_chip(item.scenes, item.tile, BANDS, item.fills).image[0, 0]
        for item in items
        if item.scenes[0].id == "new"
    ]
    values = np.concatenate([image.ravel() for image in seen])
    assert int((np.isclose(values, 0.2)).sum()) == 100
    assert int((np.isclose(values, 0.3)).sum()) == 64 * 64 - 100
    assert {item.scenes[0].id for item in items} == {"new"}


def test_scenes_side_by_side_share_a_tile_without_a_gap(write_raster: WriteRaster, tmp_path: Path) -> None:
    for name, column in (("west", 0), ("east", 40)):
        grid = Affine(30, 0, 384_000 + column * 30, 0, -30, 4_096_000)
        write_raster(f"s/{name}.tif", np.full((6, 64, 40), 1000, np.int16), transform=grid, nodata=-9999)
    scenes = files_scenes([tmp_path / "s"])
    assert counted(cut_best(scenes, None, Tiling(64, PATCH))) == 64 * 80 * 900


def test_scenes_of_two_resolutions_want_one_to_be_named(write_raster: WriteRaster, tmp_path: Path) -> None:
    for name, size in (("fine", 10.0), ("coarse", 30.0)):
        grid = Affine(size, 0, 384_000, 0, -size, 4_096_000)
        write_raster(f"r/{name}.tif", np.full((6, 64, 64), 1000, np.int16), transform=grid)
    scenes = files_scenes([tmp_path / "r"])
    with pytest.raises(SceneError, match=r"distances \(10, 30 m.*tiles.gsd_m"):
        cut_best(scenes, None, Tiling(32, PATCH))
    assert cut_best(scenes, None, Tiling(32, PATCH, gsd_m=30.0))


def test_a_region_off_all_scenes_is_refused(write_raster: WriteRaster, tmp_path: Path) -> None:
    scenes = pair(write_raster, tmp_path, "EPSG:32617", 757_000.0)
    with pytest.raises(RegionError, match="meets none"):
        cut_best(scenes, Region.from_bounds(0.0, 0.0, 0.1, 0.1), Tiling(32, PATCH))
