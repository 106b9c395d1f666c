"""A cloud on the better scene is filled from the next, whatever the scenes' pixels and however small the tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

from engine.extraction.pixels.clouds import cloud_finder
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.scene import Scene
from engine.imagery.sensors.table import HLS_BANDS
from engine.imagery.sources.scene_stack import files_scenes
from engine.paths import PROJECT

CLOUD = np.array([0.55, 0.52, 0.50, 0.55, 0.35, 0.25]).reshape(6, 1, 1)
WEST, NORTH = 614_400.0, 4_600_320.0


def _written(path: Path, measured: np.ndarray, gsd_m: float, cloud_pct: int) -> None:
    profile = {
        "driver": "GTiff", "height": measured.shape[1], "width": measured.shape[2], "count": 6, "dtype": "uint16",
        "crs": "EPSG:32610", "transform": Affine(gsd_m, 0, WEST, 0, -gsd_m, NORTH), "nodata": 0,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as made:
        made.write(np.round(measured * 10_000).astype(np.uint16))
        made.descriptions = HLS_BANDS
        made.scales = [1e-4] * 6
        made.update_tags(
            CLOUD_COVERAGE=str(cloud_pct), emberscope_sensor="hls" if gsd_m == 60 else "sentinel2_l1c"
        )


@pytest.fixture(scope="module")
def ground() -> np.ndarray:
    """Reflectance of clear ground: a piece of the sample scene, 192 x 192 px of 30 m."""
    with rasterio.open(PROJECT / "assets" / "samples" / "virginia.tif") as sample:
        stored = sample.read(window=Window(256, 256, 192, 192))
        return stored * sample.scales[0]


def _pair(folder: Path, ground: np.ndarray, gsd_m: float) -> tuple[Scene, ...]:
    """The less cloudy by its tag has a round cloud of 24 px of 30 m where the other is clear."""
    if gsd_m == 60:
        ground = ground.reshape(6, 96, 2, 96, 2).mean(axis=(2, 4))
    repeats = 3 if gsd_m == 10 else 1
    fine = ground[:, :96, :96].repeat(repeats, 1).repeat(repeats, 2)
    side = fine.shape[1]
    rows, columns = np.mgrid[:side, :side]
    is_cloud = np.hypot(rows - side / 2, columns - side / 2) < 12 * 30 / gsd_m
    texture = 1 + 0.15 * np.sin(rows * gsd_m / 150) * np.cos(columns * gsd_m / 210)
    _written(folder / "best.tif", np.where(is_cloud, CLOUD * texture, fine), gsd_m, 10)
    _written(folder / "next.tif", fine, gsd_m, 30)
    return files_scenes([folder])


@pytest.mark.parametrize("gsd_m", [10.0, 20.0, 30.0, 60.0])
def test_a_cloud_is_filled_from_the_next_scene(tmp_path: Path, ground: np.ndarray, gsd_m: float) -> None:
    best, following = _pair(tmp_path, ground, gsd_m)
    middle = best.width // 2
    half = round(8 * 30 / gsd_m)  # inside the cloud
    corner = best.transform @ Affine.translation(middle - half, middle - half)
    tile = Tile.of("under", best.crs, corner, 2 * half, 2 * half)
    find = cloud_finder(HLS_BANDS, None)
    alone = read_chip([best], tile, HLS_BANDS, clouded=find)
    filled = read_chip([best], tile, HLS_BANDS, fills=[following], clouded=find)
    clear = read_chip([following], tile, HLS_BANDS)
    assert alone.valid.mean() < 0.3  # the network says what a painted cloud is
    assert filled.valid.all()
    assert np.array_equal(
        filled.image[~alone.valid.repeat(6, 0)[None]], clear.image[~alone.valid.repeat(6, 0)[None]]
    )


@pytest.mark.parametrize("side_px", [16, 64, 96])
def test_clear_ground_is_no_cloud_in_a_tile_of_any_size(
    tmp_path: Path, ground: np.ndarray, side_px: int
) -> None:
    _, following = _pair(tmp_path, ground, 20.0)
    find = cloud_finder(HLS_BANDS, None)
    for row, column in ((0, 0), (0, 40), (30, 7)):
        tile = Tile.of(
            "t", following.crs, following.transform @ Affine.translation(column, row), side_px, side_px
        )
        inside = read_chip([following], tile, HLS_BANDS).valid
        assert read_chip([following], tile, HLS_BANDS, clouded=find).valid.sum() > 0.99 * inside.sum()


def test_a_cloud_grows_into_the_tile_beside_it(tmp_path: Path, ground: np.ndarray) -> None:
    best, _ = _pair(tmp_path, ground, 30.0)
    find = cloud_finder(HLS_BANDS, None)
    whole = Tile.of("whole", best.crs, best.transform, best.height, best.width)
    masked = ~read_chip([best], whole, HLS_BANDS, clouded=find).valid[0]
    first = int(np.flatnonzero(masked.any(axis=0))[0])  # its westernmost column
    corner = best.transform @ Affine.translation(first + 2 - 32, 32)
    beside = Tile.of("beside", best.crs, corner, 32, 32)
    assert not read_chip([best], beside, HLS_BANDS, clouded=find).valid[0][:, -2:].all()
