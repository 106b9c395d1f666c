"""What a configuration says of a raster counts before what the raster says itself, and is told where they differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.errors import SceneError
from engine.imagery.sources import FileScene
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, config_hash
from tests.conftest import WriteRaster


@pytest.fixture
def scaled_file(scene_file: Path) -> Path:
    """A raster that states its scale itself."""
    with rasterio.open(scene_file, "r+") as dataset:
        dataset.scales = [1e-3] * 6
    return scene_file


def test_a_scale_that_is_said_counts_before_the_one_that_a_raster_states_and_is_told(
    scaled_file: Path, tmp_path: Path
) -> None:
    def read(**said: float) -> tuple[float, float, str]:
        (scene,) = FileScene(source="file", path=str(scaled_file), **said).find(tmp_path)
        asset = scene.assets["red"]
        return asset.scale, asset.offset, " ".join(scene.notes)

    scale, offset, notes = read(scale=1e-4)
    assert (scale, offset) == (1e-4, 0.0)
    assert "0.001" in notes
    scale, offset, notes = read(offset=-0.1)
    assert (scale, offset) == (1e-3, -0.1)
    assert "itself" in notes
    for same in ({}, {"scale": 1e-3}):
        scale, offset, notes = read(**same)
        assert (scale, offset) == (1e-3, 0.0)
        assert "itself" not in notes


def test_a_level_that_is_said_is_that_of_the_scene_and_in_its_words(scene_file: Path, tmp_path: Path) -> None:
    (scene,) = FileScene(source="file", path=str(scene_file), level="top of atmosphere").find(tmp_path)
    assert scene.level == "top of atmosphere"
    assert scene.values == "top-of-atmosphere reflectance"


def test_a_level_of_what_is_no_reflectance_is_refused(write_raster: WriteRaster, tmp_path: Path) -> None:
    radar = write_raster("vv.tif", np.full((1, 8, 8), -12, np.float32), names=("vv",))
    with pytest.raises(SceneError, match=r"scene\.level"):
        FileScene(source="file", path=str(radar), sensor="sentinel1_grd", level="surface").find(tmp_path)


def test_a_level_that_is_not_said_leaves_the_hash_of_earlier_stores(scene_file: Path) -> None:
    def of(**said: str | None) -> str:
        scene = FileScene(source="file", path=str(scene_file), **said)
        return config_hash(ExtractConfig(scene=scene, backbone=BackboneConfig(name="raw")))

    assert of() != of(level="surface")
    assert of() == of(level=None)
