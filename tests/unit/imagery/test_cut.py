"""A cut holds the pixels of its scene, and is read again as what it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.errors import RegionError
from engine.imagery.cut import cut_of, write_cut
from engine.imagery.geobox import outline_lonlat
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.sources.raster_file import file_scene

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
GRID = Affine(20, 0, 400_000, 0, -20, 4_100_000)


def _scene(path: Path, dtype: str) -> Scene:
    """60 x 80 pixels with a gap in the first row, of a date and a source."""
    values = np.random.default_rng(0).integers(500, 4000, (6, 60, 80)).astype(dtype)
    if dtype == "float32":
        values /= 10_000
    values[:, 0] = -9999
    with rasterio.open(
        path, "w", driver="GTiff", height=60, width=80, count=6, dtype=dtype, crs="EPSG:32618", transform=GRID, nodata=-9999
    ) as out:  # fmt: skip
        out.write(values)
        out.descriptions = BANDS
        if dtype != "float32":
            out.scales, out.offsets = (0.0001,) * 6, (-0.1,) * 6
        out.update_tags(
            EMBERSCOPE_DATETIME="2021-07-18T16:00:00+00:00",
            EMBERSCOPE_SIMULATED="yes",
            EMBERSCOPE_SOURCE="a test",
        )
    return file_scene(path)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_cut_is_read_again_as_the_same_scene(tmp_path: Path, dtype: str) -> None:
    scene = _scene(tmp_path / "scene.tif", dtype)
    again = file_scene(write_cut(cut_of(scene, None), tmp_path / "cut.tif"))
    same = ("sensor", "datetime", "grid", "source", "is_simulated", "bands", "level")
    assert all(getattr(again, name) == getattr(scene, name) for name in same)
    with rasterio.open(tmp_path / "scene.tif") as one, rasterio.open(tmp_path / "cut.tif") as other:
        assert other.dtypes == one.dtypes
        assert np.array_equal(one.read(masked=True).filled(0), other.read(masked=True).filled(0))
        assert np.array_equal(one.read_masks(1), other.read_masks(1))
        assert (one.scales, one.offsets) == (other.scales, other.offsets)


def test_a_cut_has_what_lies_in_the_region_and_gaps_around_it(tmp_path: Path) -> None:
    scene = _scene(tmp_path / "scene.tif", "int16")
    inner = outline_lonlat(scene.grid[10:30, 20:50])
    west, south, east, north = inner.bounds
    corners = [(west, south), (east, south), (west, north)]
    cut = cut_of(scene, Region.from_polygon(corners))
    write_cut(cut, tmp_path / "cut.tif")
    with rasterio.open(tmp_path / "cut.tif") as out, rasterio.open(tmp_path / "scene.tif") as whole:
        assert out.height < 25
        assert out.width < 35
        found = out.read(1, masked=True)
        assert 0.4 < (~found.mask).mean() < 0.6  # a triangle
        row, column = whole.index(*out.xy(0, 0))
        there = whole.read(1)[row : row + out.height, column : column + out.width]
        assert np.array_equal(found.data[~found.mask], there[~found.mask])
        assert cut.most_bytes == out.height * out.width * 6 * 2


def test_a_region_beside_the_scene_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match="do not overlap"):
        cut_of(_scene(tmp_path / "scene.tif", "int16"), Region.from_bounds(10, 10, 10.1, 10.1))
