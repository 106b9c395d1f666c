"""Dates of one place in GeoTIFFs: a file a date, or one file whose bands say their dates, as a series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.errors import SceneError
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.raster.dates import dated_band
from engine.imagery.scene import Scene
from engine.imagery.sources import StackScene, source_of
from engine.imagery.sources.series import on_one_grid
from tests.unit.cubes.made import BANDS, DAYS, FILL, SIDE, stored, write_geotiff


def folder_of_dates(folder: Path) -> Path:
    """A file a date, whose names alone tell the dates, in another order than theirs."""
    for place, day in zip("bca", range(3), strict=True):
        path = write_geotiff(folder / f"{place}_{DAYS[day]}.tif", day)
        with rasterio.open(path, "r+") as dataset:
            dataset.update_tags(emberscope_datetime="")
    return folder


def one_file(path: Path, words: str = "{day} {band}") -> Path:
    """The dates as bands of one file, the last date first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    order = [(day, n) for day in (2, 0, 1) for n in range(6)]
    with rasterio.open(
        path, "w", driver="GTiff", height=SIDE, width=SIDE, count=18, dtype="int16", crs="EPSG:32633", nodata=FILL,
        transform=Affine(30, 0, 500_000, 0, -30, 5_200_000), interleave="band",
    ) as dataset:  # fmt: skip
        dataset.write(np.stack([stored()[day, n] for day, n in order]))
        dataset.descriptions = [words.format(day=DAYS[day], band=BANDS[n]) for day, n in order]
        dataset.scales, dataset.offsets = [0.0001] * 18, [0.01] * 18
    return path


def found(*paths: Path, **said: Any) -> tuple[Scene, ...]:
    return StackScene.model_validate(
        {"source": "stack", "paths": [str(path) for path in paths], **said}
    ).find(paths[0])


@pytest.mark.parametrize("kind", ["folder", "one file"])
def test_each_date_is_a_scene_with_its_pixels_the_first_date_first(tmp_path: Path, kind: str) -> None:
    place = folder_of_dates(tmp_path / "in") if kind == "folder" else one_file(tmp_path / "in/all.tif")
    scenes = found(place)
    assert [f"{scene.datetime:%Y-%m-%d}" for scene in scenes] == list(DAYS)
    for day, scene in enumerate(scenes):
        (alone,) = source_of(write_geotiff(tmp_path / f"{day}.tif", day)).find(tmp_path)
        ours, want = (read_chip([one], Tile("all", alone.grid), BANDS) for one in (scene, alone))
        assert np.array_equal(ours.image, want.image)
        assert np.array_equal(ours.valid, want.valid)
    assert any("none between 2023-07-11 and 2023-07-31" in note for note in scenes[0].notes)


def test_days_are_chosen_and_the_last_alone(tmp_path: Path) -> None:
    place = folder_of_dates(tmp_path / "in")
    assert len(found(place, dates=DAYS[:2])) == 2
    last = StackScene(source="stack", paths=(str(place),)).last_date().find(tmp_path)
    assert [f"{scene.datetime:%Y-%m-%d}" for scene in last] == [DAYS[2]]
    with pytest.raises(SceneError, match="it holds 2023-07-01 to 2023-07-31"):
        found(place, dates=("2001-01-01", "2001-02-01"))


def test_a_file_whose_bands_say_dates_is_a_stack_and_dates_that_fill_one_another_are_told(
    tmp_path: Path,
) -> None:
    assert source_of(one_file(tmp_path / "all.tif")).source == "stack"
    scenes = source_of(folder_of_dates(tmp_path / "in")).find(tmp_path)
    assert any(
        "3 dates of the same ground" in note and "scene.source: stack" in note for note in scenes[0].notes
    )


@pytest.mark.parametrize(("text", "day", "name"), [
    ("2023-07-01 red", "2023-07-01", "red"), ("B04_20230701", "2023-07-01", "B04"), ("red", "None", "red"),
    ("20230701T100501_20230701T100500_T33TWK_B4", "2023-07-01", "B4"), ("2023-07-01", "2023-07-01", ""),
    ("nir_narrow (2023-07-01T10:05:00Z)", "2023-07-01", "nir_narrow"), ("swir_1 2023-13-77", "None", "swir_1"),
])  # fmt: skip
def test_a_band_says_its_date_in_the_forms_that_programs_write(text: str, day: str, name: str) -> None:
    when, left = dated_band(text)
    assert (f"{when:%Y-%m-%d}" if when else "None", left) == (day, name)


def test_what_is_no_series_of_one_place_is_refused(tmp_path: Path) -> None:
    first, second = write_geotiff(tmp_path / "a.tif", 0), write_geotiff(tmp_path / "b.tif", 0)
    with pytest.raises(SceneError, match=r"a.tif and b.tif are both of 2023-07-01"):
        found(first, second)
    with rasterio.open(second, "r+") as dataset:
        dataset.update_tags(emberscope_datetime="")
    with pytest.raises(SceneError, match=r"b.tif has no date"):
        found(first, second)
    far = write_geotiff(tmp_path / "c.tif", 1)
    with rasterio.open(far, "r+") as dataset:
        dataset.transform = Affine(30, 0, 600_000, 0, -30, 5_200_000)
    with pytest.raises(SceneError, match="dates that lie apart"):
        found(first, far)
    uneven = one_file(tmp_path / "uneven.tif")
    with rasterio.open(uneven, "r+") as dataset:
        dataset.descriptions = (f"{DAYS[2]} thermal", *dataset.descriptions[1:])
    with pytest.raises(SceneError, match="Write the same bands of each date"):
        found(uneven)


def test_dates_on_other_pixels_or_of_other_extent_share_one_grid_and_that_is_said(tmp_path: Path) -> None:
    paths = [write_geotiff(tmp_path / f"{day}.tif", day) for day in range(3)]
    for path, shift, side in ((paths[1], (15, 0), 30), (paths[2], (600, 0), 30)):
        with rasterio.open(path, "r+") as dataset:
            dataset.transform = Affine(side, 0, 500_000 + shift[0], 0, -side, 5_200_000)
    scenes = found(*paths)
    assert len({scene.grid for scene in scenes}) == 1
    assert scenes[0].grid.shape == (SIDE, SIDE + 20)
    notes = " ".join(scenes[0].notes)
    assert "different grids: 2023-07-11 resampled" in notes
    assert "cover different ground" in notes
    third = read_chip([scenes[2]], Tile("all", scenes[0].grid), BANDS)
    assert not third.valid[0, :, :20].any()
    assert np.array_equal(third.stored[0, :, :, 20:], stored()[2])
    assert on_one_grid(scenes[:1]) == (list(scenes[:1]), ())
