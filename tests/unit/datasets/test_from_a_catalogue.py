"""A catalogue is asked for each fire: its rectangle, the first clear day after it; what cannot be had is told and tried again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from shapely.geometry import MultiPolygon, box, mapping

from engine.datasets.build import build_dataset
from engine.errors import RemoteError
from engine.imagery.sources.chip_folder import chip_scenes
from engine.jobs.configuration.config import DatasetConfig, parse_config
from engine.jobs.dataset_events import DatasetDone
from tests.stac.world import FIRE, SECRET, World


def config_of(
    folder: Path, stac: World, fires: dict[str, str], place: tuple[float, float] = (0.4, 0.6), **imagery: Any
) -> DatasetConfig:
    """Fires by name and day on the ground of the catalogue.

    Args:
        place: where the burnt square begins and ends, as shares of the ground from the west and from the north.
    """
    west, south, east, north = stac.bounds_lonlat
    low, high = place
    square = mapping(
        box(west + low * (east - west), north - high * (north - south), west + high * (east - west), north - low * (north - south))
    )  # fmt: skip
    features = [
        {"type": "Feature", "properties": {"Incid_Name": name, "Ig_Date": day}, "geometry": square} for name, day in fires.items()
    ]  # fmt: skip
    path = folder / "fires.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    config = parse_config({
        "kind": "dataset", "perimeters": {"file": str(path)}, "burning_days": 0, "days_after": 30,
        "imagery": {"source": "stac", "catalogue": "es", "collection": "sentinel-2-l2a", **imagery},
        "chips": {"size_px": 64, "surroundings_m": 100, "least_valid": 0.2},
    })  # fmt: skip
    assert isinstance(config, DatasetConfig)
    return config


def test_the_first_clear_image_after_the_fire_is_cut_with_its_offset_and_its_clouds(
    stac: World, home: Path, tmp_path: Path
) -> None:
    clouded = config_of(tmp_path, stac, {"A": FIRE, "B": "2021-01-01"}, (0.05, 0.2))
    done = list(build_dataset(clouded, tmp_path / "run", home))[-1]
    assert isinstance(done, DatasetDone)
    assert done.fires == 1
    lost = next(one for one in done.not_had if one["fire"].startswith("B"))
    assert "no image after 2021-01-01" in lost["reason"]
    scenes = chip_scenes(Path(done.dataset))
    assert {str(scene.datetime)[:10] for scene in scenes} == {"2023-08-05"}
    assert scenes[0].sensor.name == "sentinel2_l2a" and "earth" not in scenes[0].notes
    images = []
    for scene in scenes:
        with rasterio.open(scene.paths[0]) as chip:
            images.append(chip.read())
    image = np.stack(images)
    assert image.shape[1:] == (6, 64, 64)
    assert 0.1 < np.isnan(image).mean() < 0.6  # clouds of the product's mask
    assert np.nanmean(image) == pytest.approx(0.5 * np.nanmean(stac.truth), rel=0.1)


def test_a_network_that_goes_down_ends_the_run_which_goes_on_later(
    stac: World, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.imagery.remote.http._PAUSE_S", 0.001)
    days = {"A": "2023-06-01", "B": "2023-06-02", "C": "2023-06-03", "D": "2023-06-04"}
    config = config_of(tmp_path, stac, days, catalogue="pc", collection="hls2-s30")  # its links are signed
    guard = stac.files.fault

    def broken(handler: Any) -> bool:
        if handler.path.startswith("/pc/"):
            handler.answer(500, b"")
            return True
        return guard(handler) if guard else False

    stac.files.fault = broken
    told = list[str]()
    try:
        with pytest.raises(RemoteError, match=r"500") as caught:
            for event in build_dataset(config, tmp_path / "run", home):
                told.append(str(event))
    finally:
        stac.files.fault = guard
    assert not (tmp_path / "run" / "dataset").exists()
    assert "2023-06-11" in str(caught.value) and "/pc/" in str(caught.value)  # date and address
    assert SECRET not in " ".join([*told, str(caught.value)])
    done = list(build_dataset(config, tmp_path / "run", home))[-1]
    assert isinstance(done, DatasetDone)
    assert (done.fires, done.not_had) == (4, [])


def test_a_fire_on_the_antimeridian_and_one_that_is_too_large_end_no_run(
    stac: World, home: Path, tmp_path: Path
) -> None:
    config = config_of(tmp_path, stac, {"A": FIRE, "B": FIRE, "C": FIRE})
    path = tmp_path / "fires.geojson"
    tree = json.loads(path.read_text())
    tree["features"][1]["geometry"] = mapping(
        MultiPolygon([box(179.95, -17, 180, -16.9), box(-180, -17, -179.95, -16.9)])
    )
    tree["features"][2]["geometry"] = mapping(box(20, 40, 22, 42))
    path.write_text(json.dumps(tree))
    done = list(build_dataset(config, tmp_path / "run", home))[-1]
    assert isinstance(done, DatasetDone)
    assert done.fires == 1
    reasons = {one["fire"][0]: one["reason"] for one in done.not_had}
    assert "has no image after" in reasons["B"]
    assert "a region has at most" in reasons["C"]


def test_chips_that_are_larger_than_the_fire_and_its_surroundings_are_seen_whole(
    stac: World, home: Path, tmp_path: Path
) -> None:
    config = config_of(tmp_path, stac, {"A": FIRE}, clouds="keep")
    chips = config.chips.model_copy(update={"size_px": 256, "least_valid": 0.5})
    done = list(build_dataset(config.model_copy(update={"chips": chips}), tmp_path / "run", home))[-1]
    assert isinstance(done, DatasetDone)
    (scene,) = chip_scenes(Path(done.dataset))
    with rasterio.open(scene.paths[0]) as chip:
        assert np.isfinite(chip.read()).mean() > 0.99
