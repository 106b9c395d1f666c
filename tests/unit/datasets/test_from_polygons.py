"""Dated polygons and scenes of this machine become chips, masks and splits that the product trains on."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.features
import yaml
from pyproj import Transformer

from engine.__main__ import main
from engine.datasets import build
from engine.datasets.build import build_dataset
from engine.errors import BadInput, JobError
from engine.imagery.sources import source_of
from engine.imagery.sources.chip_folder import chip_scenes
from engine.jobs.configuration.config import DatasetConfig, parse_config
from engine.jobs.dataset_events import DatasetDone, FireDone
from engine.jobs.events import Event, Noticed
from tests.unit.datasets.made import SIDE, burnt_m, dataset_tree, day, features, write_geojson, write_scene

FIRES = range(4)


def config_of(tree: dict[str, Any]) -> DatasetConfig:
    config = parse_config(tree)
    assert isinstance(config, DatasetConfig)
    return config


def made(tree: dict[str, Any], folder: Path, home: Path) -> list[Event]:
    return list(build_dataset(config_of(tree), folder, home))


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """One scene after each fire but the last, and one before the first."""
    for number in FIRES[:-1]:
        write_scene(tmp_path / "scenes", number, "2021-07-20")
    write_scene(tmp_path / "scenes", 0, "2021-06-01", 0.6)
    return tmp_path / "scenes"


@pytest.fixture
def perimeters(tmp_path: Path) -> Path:
    return write_geojson(
        tmp_path / "fires.geojson",
        features(FIRES, Ig_Date=day, Incid_Name=lambda number: f"FIRE {number}", grade=lambda number: "low" if number else "high"),
    )  # fmt: skip


def test_chips_hold_the_pixels_after_the_fire_and_masks_its_ground_with_a_ring_that_does_not_count(
    perimeters: Path, scenes: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(dataset_tree(Path(perimeters.name), scenes)))  # beside the configuration
    assert main(["dataset", str(config), "--out", str(tmp_path / "run"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    folder = Path(said["dataset"])
    assert folder == tmp_path / "run" / "dataset"
    assert (said["fires"], said["chips"], set(said["splits"])) == (3, 3 * 4, {"train", "val", "test"})
    assert [one["fire"] for one in said["not_had"]] == ["FIRE 3 (2021-07-04)"]
    found = chip_scenes(folder)
    assert {scene.split for scene in found} == {"train", "val", "test"}
    assert {str(scene.datetime)[:10] for scene in found} == {"2021-07-20"}
    assert sum(burnt_in(scene.mask_path, 0) for scene in found) == 40 * 40
    rows = list(csv.DictReader((folder / "fires.csv").open()))
    assert [row["chips"] for row in rows] == ["4", "4", "4", "0"]
    assert rows[3]["could_not_be_had"] == "no scene shows it"
    assert source_of(folder).source == "chips"
    for scene in found:
        with rasterio.open(scene.paths[0]) as image, rasterio.open(str(scene.mask_path)) as mask:
            assert (image.dtypes[0], mask.dtypes[0], mask.nodata) == ("float32", "int16", -1)
            values = mask.read(1)
            assert np.nanmean(image.read(4)[values == 0]) == pytest.approx(0.3, abs=0.01)
            if (values == 1).any():
                assert np.nanmean(image.read(4)[values == 1]) == pytest.approx(0.09, abs=0.01)
            assert set(np.unique(values)) <= {-1, 0, 1}


def burnt_in(path: Path | None, number: int) -> int:
    """Burnt pixels of a mask that lie in the square of a fire; asserts that no others are burnt."""
    assert path is not None
    with rasterio.open(path) as mask:
        values = mask.read(1)
        inside = rasterio.features.geometry_mask([burnt_m(number)], values.shape, mask.transform, invert=True)
        near = rasterio.features.geometry_mask(
            [burnt_m(one).buffer(75) for one in FIRES], values.shape, mask.transform, invert=True
        )
    assert not (values[~near] != 0).any()
    assert (values[inside] == 1).all()
    return int((values[inside] == 1).sum())


def test_an_attribute_becomes_classes_beside_the_mask(
    perimeters: Path, scenes: Path, tmp_path: Path, home: Path
) -> None:
    labels = {"classes": {"column": "grade"}}
    events = made(dataset_tree(perimeters, scenes, labels=labels), tmp_path / "run", home)
    assert "1 high, 2 low" in " ".join(one.message for one in events if isinstance(one, Noticed))
    data = tmp_path / "run" / "dataset" / "data"
    classes = {path.name[:8]: set[int]() for path in data.glob("*.severity.tif")}
    for path in data.glob("*.severity.tif"):
        with rasterio.open(path) as raster:
            classes[path.name[:8]] |= set(np.unique(raster.read(1)).tolist())
    assert classes["fire0001"] == {-1, 0, 1}
    assert classes["fire0002"] == {-1, 0, 2}


def test_a_run_that_was_cut_is_continued_and_ends_as_an_undisturbed_one(
    perimeters: Path, scenes: Path, tmp_path: Path, home: Path
) -> None:
    tree = dataset_tree(perimeters, scenes)
    made(tree, tmp_path / "whole", home)
    events = build_dataset(config_of(tree), tmp_path / "cut", home)
    next(one for one in events if isinstance(one, FireDone) and one.done == 2)
    events.close()  # type: ignore[attr-defined]
    assert not (tmp_path / "cut" / build.FOLDER).exists()
    (tmp_path / "cut" / "dataset.unfinished" / "data" / "fire0003_20210720_099_merged.tif.writing").write_bytes(b"half")  # fmt: skip
    stamp = (tmp_path / "cut" / "dataset.unfinished" / "fires" / "fire0001-fire-0.json").stat().st_mtime_ns
    made(tree, tmp_path / "cut", home)
    one, other = tmp_path / "whole" / "dataset", tmp_path / "cut" / "dataset"
    assert (other / "fires" / "fire0001-fire-0.json").stat().st_mtime_ns == stamp
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)
    (again,) = made(tree, tmp_path / "whole", home)  # is complete, so nothing is made anew
    assert isinstance(again, DatasetDone) and again.chips == 12


def test_other_perimeters_do_not_continue_a_run(
    perimeters: Path, scenes: Path, tmp_path: Path, home: Path
) -> None:
    tree = dataset_tree(perimeters, scenes)
    events = build_dataset(config_of(tree), tmp_path / "run", home)
    next(one for one in events if isinstance(one, FireDone))
    events.close()  # type: ignore[attr-defined]
    write_geojson(perimeters, features(range(2), Ig_Date=day))
    with pytest.raises(JobError, match=r"begun with another fires\.geojson"):
        made(tree, tmp_path / "run", home)


def test_ground_that_burnt_earlier_or_later_or_at_an_unknown_time_is_told_apart(
    scenes: Path, tmp_path: Path, home: Path
) -> None:
    days = {0: day(0), 1: "2019-05-01", 2: None, 3: "2021-08-30"}
    beside = features(FIRES, date=days.__getitem__)
    for one in beside[1:]:
        one["geometry"] = shifted(beside[0]["geometry"], 0.013 * (beside.index(one) - 2))
    perimeters = write_geojson(tmp_path / "beside.geojson", beside)
    tree = dataset_tree(perimeters, scenes, chips={"size_px": SIDE, "surroundings_m": 2_000})
    done = made(tree, tmp_path / "run", home)[-1]
    assert isinstance(done, DatasetDone)
    assert {one["reason"] for one in done.not_had} >= {"it has no date in the file"}
    (first,) = (tmp_path / "run" / "dataset" / "data").glob("fire0001*.mask.tif")
    with rasterio.open(first) as mask:
        counts = dict(zip(*np.unique(mask.read(1), return_counts=True), strict=True))
    assert counts[1] == 40 * 40
    assert counts[-1] > 1_500  # the ring, and the ground of 2019 and of no date


def shifted(geometry: dict[str, Any], degrees: float) -> dict[str, Any]:
    """A polygon moved to the east."""
    rings = [[[x + degrees, y] for x, y in ring] for ring in geometry["coordinates"]]
    return {**geometry, "coordinates": rings}


@pytest.mark.parametrize(
    ("columns", "changes", "said"),
    [
        ({"AREA": 3}, {}, "does not tell on which day"),
        ({"seen_date": day, "made_date": day}, {}, "may all be it"),
        ({"Ig_Date": day}, {"date": "ig_dat"}, "no column 'ig_dat'"),
        ({"Ig_Date": "07/08/2021"}, {}, "day or the month first"),
        ({"Ig_Date": day}, {"file": "none.geojson"}, r"none\.geojson"),
    ],
)
def test_perimeters_without_a_day_that_is_sure_are_refused_in_words(
    columns: dict[str, Any], changes: dict[str, Any], said: str, scenes: Path, tmp_path: Path, home: Path
) -> None:
    path = write_geojson(tmp_path / "fires.geojson", features(FIRES, **columns))
    tree = dataset_tree(path, scenes)
    tree["perimeters"] |= changes
    with pytest.raises(BadInput, match=said):
        made(tree, tmp_path / "run", home)
    assert not (tmp_path / "run" / "dataset").exists()


def test_a_day_for_all_fires_may_be_given(scenes: Path, tmp_path: Path, home: Path) -> None:
    path = write_geojson(tmp_path / "fires.geojson", features(FIRES, AREA=3))
    tree = yaml.safe_load(yaml.safe_dump(dataset_tree(path, scenes)) + "\n")
    tree["perimeters"]["date"] = yaml.safe_load("2021-07-10")
    done = made(tree, tmp_path / "run", home)[-1]
    assert isinstance(done, DatasetDone)
    assert done.fires == 3


def test_fires_of_which_nothing_can_be_had_are_an_error_that_says_why(
    perimeters: Path, tmp_path: Path, home: Path
) -> None:
    write_scene(tmp_path / "late", 0, "2021-12-24")
    with pytest.raises(BadInput, match=r"No chip could be made of 4 fire\(s\).*there are 2021-12-24"):
        made(dataset_tree(perimeters, tmp_path / "late"), tmp_path / "run", home)
    assert not (tmp_path / "run" / "dataset").exists()


def test_days_are_those_of_the_sun_at_the_place_so_that_a_morning_in_new_zealand_is_not_the_day_before(
    tmp_path: Path, home: Path
) -> None:
    path = write_scene(tmp_path / "scenes", 0, "2021-07-20")
    with rasterio.open(path, "r+") as scene:
        scene.crs = "EPSG:32760"
        scene.update_tags(EMBERSCOPE_DATETIME="2021-07-20T22:30:00Z")  # the morning of the 21st
        west, north = scene.transform.c, scene.transform.f
        to_lonlat = Transformer.from_crs(scene.crs, 4326, always_xy=True).transform
    fire = burnt_m(0)
    ring = [to_lonlat(x, y) for x, y in fire.exterior.coords]
    found = [
        {
            "type": "Feature",
            "properties": {"date": "2021-07-20"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
    ]
    assert (west, north) == (600_000, 4_400_000)
    tree = dataset_tree(write_geojson(tmp_path / "nz.geojson", found), tmp_path / "scenes", burning_days=0)
    done = made(tree, tmp_path / "run", home)[-1]
    assert isinstance(done, DatasetDone)
    assert done.burnt_share > 0
