"""Folders of small rasters as scenes: found by name, bands and scale as declared, nothing silently merged."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.errors import SceneError
from engine.imagery.chip import read_chip
from engine.imagery.raster.facts import Overrides
from engine.imagery.sensors.names import common_name
from engine.imagery.sources.chip_folder import chip_scenes, folder_scenes
from engine.imagery.tiles.tile_plan import cut
from engine.imagery.tiles.windows import Tiling

WriteRaster = Callable[..., Path]
SIX = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")


def chip(seed: int, kind: type = np.float32) -> np.ndarray:
    values = np.random.default_rng(seed).uniform(0.01, 0.4, (6, 32, 32))
    return values.astype(kind) if kind is np.float32 else (values * 10_000).astype(kind)


def read(folder: Path, declared: Overrides, bands: tuple[str, ...]) -> np.ndarray:
    scenes = folder_scenes(folder, "*.tif", declared)
    (planned,) = cut(scenes, None, Tiling(None, 16))
    return read_chip(planned.scenes, planned.tile, bands).image[0]


def test_every_raster_that_fits_the_pattern_is_a_chip_of_its_own(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    for name in ("b/two.tif", "b/one.tif", "b/deep/one.tif", "b/other.tiff"):
        write_raster(name, chip(1))
    assert [scene.title for scene in folder_scenes(tmp_path / "b", "*.tif")] == ["one", "two"]
    found = folder_scenes(tmp_path / "b", "**/*.tif")
    assert [scene.title for scene in found] == ["deep/one", "one", "two"]
    assert len({scene.id for scene in found}) == 3
    assert all(scene.is_chip for scene in found)


@pytest.mark.parametrize(
    "names", [("x.tif", "x.tiff"), ("a b.tif", "a_b.tif"), ("z" * 130 + "1.tif", "z" * 130 + "2.tif")]
)
def test_two_chips_whose_names_are_alike_stay_two(
    write_raster: WriteRaster, tmp_path: Path, names: tuple[str, str]
) -> None:
    for number, name in enumerate(names):
        write_raster(f"same/{name}", chip(number))
    found = folder_scenes(tmp_path / "same", "*.tif*")
    assert len({scene.id for scene in found}) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", scene.id) for scene in found)


def test_declared_bands_name_what_the_file_does_not(write_raster: WriteRaster, tmp_path: Path) -> None:
    pixels = chip(3)
    write_raster("plain/x.tif", pixels, names=None)
    turned = tuple(reversed(SIX))
    seen = read(tmp_path / "plain", Overrides(bands=turned), SIX)
    assert np.array_equal(seen, pixels[::-1])


def test_a_band_declared_as_null_is_not_read(write_raster: WriteRaster, tmp_path: Path) -> None:
    pixels = chip(4)
    write_raster("part/x.tif", pixels, names=None)
    declared = Overrides(bands=("red", None, "blue", None, None, None))
    (scene,) = folder_scenes(tmp_path / "part", "*.tif", declared)
    assert set(scene.bands) == {"red", "blue"}
    assert np.array_equal(read(tmp_path / "part", declared, ("blue", "red")), pixels[[2, 0]])


@pytest.mark.parametrize(
    ("bands", "complaint"),
    [(("blue", "green"), "has 6 bands"), (("blue", "ultraviolet", None, None, None, None), "ultraviolet")],
)
def test_declared_bands_that_cannot_be_are_refused(
    write_raster: WriteRaster, tmp_path: Path, bands: tuple[str | None, ...], complaint: str
) -> None:
    write_raster("odd/x.tif", chip(5), names=None)
    with pytest.raises(SceneError, match=complaint):
        folder_scenes(tmp_path / "odd", "*.tif", Overrides(bands=bands))


def test_a_declared_scale_holds_where_the_file_states_none(write_raster: WriteRaster, tmp_path: Path) -> None:
    pixels = chip(6)
    write_raster("tenthousand/x.tif", pixels * 10_000)
    write_raster("whole/x.tif", (pixels * 10_000).astype(np.int16))
    declared = Overrides(scale=1e-4)
    assert np.allclose(read(tmp_path / "tenthousand", declared, SIX), pixels, rtol=1e-6)
    assert np.allclose(read(tmp_path / "whole", declared, SIX), pixels, atol=1e-4)


def test_a_mask_beside_a_chip_is_its_label(write_raster: WriteRaster, tmp_path: Path) -> None:
    write_raster("m/x_merged.tif", chip(7))
    mask = write_raster("m/x.mask.tif", np.ones((1, 32, 32), np.int16), names=None)
    write_raster("m/y_merged.tif", chip(8))
    assert [scene.mask_path for scene in folder_scenes(tmp_path / "m", "*_merged.tif")] == [mask, None]


def test_an_empty_folder_is_refused_by_the_name_of_the_pattern(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"no chips named \*\.tif"):
        folder_scenes(tmp_path, "*.tif")


def test_the_layout_of_burn_scars_takes_declared_bands_too(write_raster: WriteRaster, tmp_path: Path) -> None:
    write_raster("set/data/x_merged.tif", chip(9), names=None)
    (scene,) = chip_scenes(tmp_path / "set", overrides=Overrides(bands=tuple(reversed(SIX))))
    assert scene.assets["swir_2"].index == 1


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("NIR_NARROW", "nir_narrow"),
        ("SWIR 1", "swir_1"),
        ("B8A", "nir_narrow"),
        ("swir22", "swir_2"),
        (" Blue ", "blue"),
    ],
)
def test_a_band_has_one_common_name_however_it_is_written(written: str, name: str) -> None:
    assert common_name(written) == name


def test_chips_that_split_files_name_and_the_folder_lacks_are_told(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    write_raster("c/data/here_merged.tif", chip(1))
    (tmp_path / "c" / "splits").mkdir()
    (tmp_path / "c" / "splits" / "train.txt").write_text("here\ngone_1\ngone_2\n")
    (scene,) = chip_scenes(tmp_path / "c")
    assert (
        "splits/*.txt names 2 chip(s) that the folder does not hold (gone_1, gone_2); they are left out."
        in scene.notes
    )
