"""A pixel is the same in whatever window it is read, and memory does not grow with the source."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.raster import window as reading
from engine.imagery.raster.facts import Overrides
from engine.imagery.raster.rasters import open_raster
from engine.imagery.scene import Scene
from engine.imagery.sources.raster_file import file_scene
from engine.paths import PROJECT
from tests.unit.imagery.made_rasters import BANDS, PLACES, Made, affines


def noise(crs: str, transform: Affine) -> Made:
    """A raster in which each pixel differs from its neighbours as much as it can."""
    stored = np.random.default_rng(1).uniform(0, 1000, (6, 60, 52))
    is_gap = np.zeros((60, 52), bool)
    is_gap[20:27, 30:33] = True
    stored[:, is_gap] = -9999
    return Made(crs, transform, "float32", stored, is_gap, "declared")


def canvas_of(scene: Scene, size_px: int, gsd_m: float, order: int) -> np.ndarray:
    """(6, H, W) of the whole scene, NaN in gaps, read window by window from its north-west."""
    west, south, east, north = scene.bounds_m
    height, width = (int(np.ceil(side / gsd_m)) for side in (north - south, east - west))
    canvas = np.full((6, height + size_px, width + size_px), np.nan, np.float32)
    corners = [(row, col) for row in range(0, height, size_px) for col in range(0, width, size_px)][::order]
    for row, col in corners:
        corner = Affine(gsd_m, 0, west + col * gsd_m, 0, -gsd_m, north - row * gsd_m)
        chip = read_chip([scene], Tile.of("t", scene.crs, corner, size_px, size_px), BANDS)
        canvas[:, row : row + size_px, col : col + size_px] = np.where(chip.valid, chip.image[0], np.nan)
    return canvas[:, :height, :width]


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    share=st.sampled_from([0.4, 1.0, 2.3]),
    sizes=st.sampled_from([(13, 64), (20, 50), (17, 24)]),
)
def test_a_pixel_is_the_same_in_every_window(
    data: st.DataObject, share: float, sizes: tuple[int, int]
) -> None:
    crs, x, y, side = data.draw(st.sampled_from(PLACES))
    made = noise(crs, data.draw(affines(x, y, side)))
    with tempfile.TemporaryDirectory() as folder:
        scene = file_scene(made.write(Path(folder) / "made.tif"), Overrides(sensor="hls"))
        gsd_m = scene.gsd_m * share
        one, other = (
            canvas_of(scene, size, gsd_m, order) for size, order in zip(sizes, (1, -1), strict=True)
        )
    assert np.isfinite(one).any()
    # Where a window is brought to another CRS, GDAL's warper interpolates coordinates along its rows: a few thousandths
    # of a pixel. In the raster's own CRS nothing but rounding is left.
    allowed = 0.05 if scene.assets["blue"].crs == scene.crs else 4.0
    if allowed < 1:
        assert np.array_equal(np.isnan(one), np.isnan(other))
    both = np.isfinite(one) & np.isfinite(other)
    assert np.mean(np.isnan(one) != np.isnan(other)) < 0.002
    assert np.abs(one - other)[both].max() < allowed  # of noise from 0 to 1000


@pytest.mark.parametrize("most", [2000, 6000])
def test_a_source_that_is_read_in_parts_gives_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    made = noise("EPSG:32633", Affine(30, 0, 480_000, 0, -30, 5_200_000))
    path = made.write(tmp_path / "made.tif")
    target = GeoBox((20, 20), Affine(77, 0, 480_011, 0, -77, 5_199_990), "EPSG:32633")
    gaps = [(-9999.0,)] * 6
    with open_raster(path) as dataset:
        whole, whole_valid = reading.read_window(dataset, range(1, 7), target, "EPSG:32633", gaps)
        monkeypatch.setattr(reading, "_MOST_SOURCE_VALUES", most)
        parts, parts_valid = reading.read_window(dataset, range(1, 7), target, "EPSG:32633", gaps)
    assert np.array_equal(whole_valid, parts_valid)
    assert np.abs(whole - parts).max() < 0.05


_READS = """
import resource, sys, numpy as np, rasterio
from pathlib import Path
from affine import Affine
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.raster.facts import Overrides
from engine.imagery.sources.raster_file import file_scene
side = int(sys.argv[1])
scene = file_scene(Path(sys.argv[2]), Overrides(sensor="hls"))
tile = Tile.of("t", scene.crs, scene.transform @ Affine.scale(side / 64), 64, 64)
with rasterio.Env(GDAL_CACHEMAX=64_000_000):
    chip = read_chip([scene], tile, scene.bands)
assert chip.valid.mean() > 0.9
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_source_of_a_coarse_window(tmp_path: Path) -> None:
    peaks = []
    for side in (1_500, 4_500):  # 2 and 20 million pixels; the files hold nothing but their headers
        path = tmp_path / f"{side}.tif"
        profile = {
            "driver": "GTiff", "height": side, "width": side, "count": 6, "dtype": "int16", "crs": "EPSG:32633",
            "transform": Affine(10, 0, 480_000, 0, -10, 5_200_000), "tiled": True, "blockxsize": 512,
            "blockysize": 512, "compress": "deflate", "SPARSE_OK": True,
        }  # fmt: skip
        with rasterio.open(path, "w", **profile) as made:
            made.descriptions = BANDS
        done = subprocess.run(
            [sys.executable, "-c", _READS, str(side), str(path)],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 150, f"{peaks} MB"
