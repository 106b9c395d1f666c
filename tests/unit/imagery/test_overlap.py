"""Several rasters as one place: which counts where they meet, and what cannot be one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.errors import SceneError
from engine.imagery.raster.facts import NO_OVERRIDES
from engine.imagery.sources.scene_stack import files_scenes

WriteRaster = Callable[..., Path]
GROUND = np.full((6, 32, 32), 1000, np.int16)


@pytest.mark.parametrize("tag", ["EMBERSCOPE_CLOUD_PCT", "cloud_coverage", "CLOUDY_PIXEL_PERCENTAGE", "CLOUD_COVER"])  # fmt: skip
def test_a_stated_cloud_share_is_read_under_its_products_name(write_raster: WriteRaster, tag: str) -> None:
    (scene,) = files_scenes([write_raster("a.tif", GROUND, **{tag: "12.5"})])
    assert scene.cloud_pct == 12.5


def test_where_none_is_stated_gaps_count_as_cloud(write_raster: WriteRaster, tmp_path: Path) -> None:
    masked = GROUND.copy()
    masked[:, :8] = -9999
    write_raster("f/masked.tif", masked, nodata=-9999)
    write_raster("f/clear.tif", GROUND, nodata=-9999)
    best, other = files_scenes([tmp_path / "f"])
    assert (best.id, best.cloud_pct) == ("clear", 0.0)
    assert other.cloud_pct == pytest.approx(25.0)


def test_the_time_of_hls_products_is_read(write_raster: WriteRaster) -> None:
    (scene,) = files_scenes(
        [write_raster("a.tif", GROUND, SENSING_TIME="2021-06-03T16:05:12.5Z; 2021-06-03T16:05:30Z")]
    )
    assert scene.datetime is not None and scene.datetime.isoformat() == "2021-06-03T16:05:12.500000+00:00"


def test_a_file_named_twice_is_one_scene_and_equal_names_in_two_folders_are_two(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    one, two = write_raster("x/s.tif", GROUND), write_raster("y/s.tif", GROUND)
    assert len(files_scenes([one, one, tmp_path / "x"])) == 1
    assert sorted(scene.id for scene in files_scenes([one, two])) == ["x_s", "y_s"]


def test_files_with_other_numbers_of_bands_are_told_where_their_bands_are_not_understood(
    write_raster: WriteRaster,
) -> None:
    files = [write_raster("named.tif", GROUND), write_raster("nameless.tif", GROUND[:4], names=None)]
    for overrides in (NO_OVERRIDES, replace(NO_OVERRIDES, bands=("blue", "green", "red", "nir_narrow"))):
        with pytest.raises(SceneError, match=r"bands.* have 4 and 6 bands"):
            files_scenes(files, overrides)
    with pytest.raises(SceneError) as refused:
        files_scenes([write_raster("other.tif", GROUND[:4], names=None), files[1]])
    assert "These files" not in str(refused.value)


def test_what_cannot_be_one_place_is_refused(write_raster: WriteRaster, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SceneError, match=r"no \.tif"):
        files_scenes([tmp_path / "empty"])
    hls, other = write_raster("a.tif", GROUND), write_raster("b.tif", GROUND)
    import rasterio

    with rasterio.open(other, "r+") as dataset:
        dataset.update_tags(EMBERSCOPE_SENSOR="landsat_c2l2")
    with pytest.raises(SceneError, match="several sensors"):
        files_scenes([hls, other])


def test_several_landsats_in_one_stack_are_refused_with_advice_that_holds(
    tmp_path: Path, write_raster: WriteRaster
) -> None:
    pixels = np.full((1, 8, 8), 9000, np.uint16)
    names = ("LC08_L2SP_044033_20230812_20230814_02_T1_SR_B", "LE07_L2SP_044033_20230813_20230815_02_T1_SR_B")
    for name in names:
        for number in (2, 3, 4):
            write_raster(f"{name}{number}.TIF", pixels, names=None)
            with rasterio.open(tmp_path / f"{name}{number}.TIF", "r+") as dataset:
                dataset.update_tags(EMBERSCOPE_SENSOR="")
    with pytest.raises(SceneError, match=r"several Landsat sensors.*scene\.sensor would misread"):
        files_scenes([tmp_path])
