"""A thinned picture of a raster's values leaves gaps out, comes from all over it, and unpacks little of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.imagery.raster.facts import Overrides
from engine.imagery.raster.sample import samples_of
from engine.imagery.sources.raster_file import file_scene

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")


def raster(
    path: Path, height: int, width: int, *, is_tiled: bool = True, has_overviews: bool = False
) -> Path:
    """Values grow from 1000 in the north to 2000 in the south; the western half is a gap."""
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256} if is_tiled else {}
    profile = {
        "driver": "GTiff", "height": height, "width": width, "count": 6, "dtype": "int16", "crs": "EPSG:32633",
        "transform": Affine(1, 0, 480_000, 0, -1, 5_200_000), "nodata": -9999, "compress": "deflate", **layout,
    }  # fmt: skip
    values = np.repeat(np.linspace(1000, 2000, height).astype(np.int16)[:, None], width, axis=1)
    values[:, : width // 2] = -9999
    with rasterio.open(path, "w", **profile) as made:
        for band in range(1, 7):
            made.write(values + np.where(values > 0, band, 0).astype(np.int16), band)
        made.descriptions = BANDS
        if has_overviews:
            made.build_overviews([4, 16])
    return path


@pytest.mark.parametrize(("height", "width", "is_tiled", "has_overviews"), [
    (150, 130, True, False), (2300, 2100, True, False), (2300, 2100, False, False), (2300, 2100, True, True),
    (20, 210_000, False, False), (210_000, 20, False, False),
])  # fmt: skip
def test_values_come_from_all_over_a_raster_without_its_gaps(
    tmp_path: Path, height: int, width: int, is_tiled: bool, has_overviews: bool
) -> None:
    path = raster(tmp_path / "made.tif", height, width, is_tiled=is_tiled, has_overviews=has_overviews)
    scene = file_scene(path, Overrides(sensor="hls"))
    found = samples_of(scene.assets)
    for number, band in enumerate(BANDS, start=1):
        values = found[band].measured * 1e4 - number
        assert values.min() == pytest.approx(1000, abs=15)
        assert values.max() == pytest.approx(2000, abs=15)
        assert np.mean(values) == pytest.approx(1500, abs=40)


def test_a_raster_that_is_a_gap_wherever_the_windows_lie_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    path = raster(tmp_path / "made.tif", 2300, 2100)
    with rasterio.open(path, "r+") as made:
        values = np.full((6, 2300, 2100), -9999, np.int16)
        values[:, 100:300, 100:300] = 1234  # between the first two windows
        made.write(values)
    found = samples_of(file_scene(path, Overrides(sensor="hls")).assets)
    assert found["blue"].stored.size > 0
    assert set(found["blue"].stored.tolist()) == {1234}
