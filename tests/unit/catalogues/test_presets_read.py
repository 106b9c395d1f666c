"""Items in the form of each catalogue are read right: bands, scale, offset once, gaps, masks, signatures and logins."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import ConfigError, RemoteError, SceneError
from engine.imagery.catalogues.presets import PRESETS
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.remote import access
from engine.imagery.scene import Scene
from engine.imagery.sources import StacScene
from tests.stac.items import BANDS, GSD_M, NORTH_M, WEST_M
from tests.stac.world import BEARER, FIRE, SECRET, World


def source(stac: World, catalogue: str, collection: str, first: str, last: str, **more: Any) -> StacScene:
    return StacScene.model_validate({
        "source": "stac", "catalogue": catalogue, "collection": collection, "bounds_lonlat": stac.bounds_lonlat,
        "dates": (first, last), **more,
    })  # fmt: skip


def scenes(wanted: StacScene, home: Path) -> tuple[Scene, ...]:
    list(wanted.prepare(home))
    return wanted.find(home)


def truth_of(stac: World, scene: Scene) -> np.ndarray:
    """(6, H, W) of the ground, at the pixels of a scene."""
    west, _, _, north = scene.bounds_m
    step = round(scene.gsd_m / GSD_M)
    row, column = round((NORTH_M - north) / GSD_M), round((west - WEST_M) / GSD_M)
    return stac.truth[:, row::step, column::step][:, : scene.height, : scene.width]


@pytest.mark.parametrize(
    ("catalogue", "collection", "month", "factor", "clear"),
    [
        ("es", "sentinel-2-l2a", "2023-07", 1.0, False),  # offset taken off already, and stated nevertheless
        ("es", "sentinel-2-l2a", "2023-08", 0.5, False),  # offset stated and still in the files
        ("pc", "sentinel-2-l2a", "2023-06", 1.0, True),  # offset by the baseline alone; signed
        ("pc", "hls2-s30", "2023-06", 1.0, False),
        ("pc", "hls2-l30", "2023-06", 1.0, False),
        ("pc", "landsat-c2-l2", "2023-06", 1.0, False),
        ("nasa", "HLSS30_2.0", "2023-05", 1.0, False),  # with a login
        (
            "cdse",
            "sentinel-2-l2a",
            "2023-05",
            1.0,
            True,
        ),  # JPEG 2000, STAC 1.1, an alternate address, with a login
    ],
)
def test_reflectance_is_that_of_the_ground(
    stac: World, home: Path, catalogue: str, collection: str, month: str, factor: float, clear: bool
) -> None:
    (scene,) = scenes(source(stac, catalogue, collection, f"{month}-01", f"{month}-15"), home)
    bands = BANDS[:3]
    chip = read_chip([scene], Tile("all", scene.grid), bands)
    known = chip.valid[0]
    wanted = truth_of(stac, scene)[:3] * factor
    assert np.abs(chip.image[0] - wanted)[:, known].max() < 1e-4
    assert known.all() == clear
    assert (~known).mean() < 0.3  # clouds where the mask has them, and nowhere else
    nearest = replace(scene, mask=None)
    assert read_chip([nearest], Tile("all", scene.grid), bands).valid.all()


def test_bands_on_coarser_pixels_keep_their_values_on_average(stac: World, home: Path) -> None:
    (scene,) = scenes(source(stac, "pc", "sentinel-2-l2a", "2023-06-01", "2023-06-15"), home)
    chip = read_chip([scene], Tile("all", scene.grid), BANDS)
    assert chip.image[0].mean((1, 2)) == pytest.approx(truth_of(stac, scene).mean((1, 2)), abs=2e-3)


def test_radar_and_heights_are_read_as_they_are(stac: World, home: Path) -> None:
    (radar,) = scenes(source(stac, "pc", "sentinel-1-rtc", "2023-06-01", "2023-06-20"), home)
    assert radar.sensor.name == "sentinel1_rtc"
    assert read_chip([radar], Tile("all", radar.grid), ("vv", "vh")).image.max() == pytest.approx(0.07)
    (heights,) = scenes(source(stac, "pc", "cop-dem-glo-30", "2023-06-01", "2023-06-20"), home)  # of no date
    assert heights.datetime is None
    assert read_chip([heights], Tile("all", heights.grid), ("elevation",)).image.max() == pytest.approx(312.5)


def test_scenes_are_found_again_without_the_network_and_end_with_the_rectangle(
    stac: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = source(stac, "es", "sentinel-2-l2a", "2023-07-01", "2023-07-15")
    (before,) = scenes(wanted, home)
    asked = len(stac.files.asked)
    assert wanted.find(home) == (before,)
    assert len(stac.files.asked) == asked
    assert before.width * before.gsd_m < 3_600
    assert wanted.stamp(home) > 0


def test_days_before_and_after_a_fire_are_two_dates_of_the_same_ground(stac: World, home: Path) -> None:
    found = scenes(
        source(stac, "es", "sentinel-2-l2a", "2023-07-01", "2023-10-31", choose="pair", fire_date=FIRE), home
    )
    assert [scene.datetime and scene.datetime.day for scene in found] == [10, 5]  # the 20th is cloudy
    assert found[0].grid == found[1].grid
    with pytest.raises(ConfigError, match="No scene before the fire"):
        scenes(
            source(stac, "es", "sentinel-2-l2a", "2023-08-01", "2023-10-31", choose="before", fire_date=FIRE),
            home,
        )


def test_a_monthly_series_tells_the_months_that_it_lacks(stac: World, home: Path) -> None:
    found = scenes(source(stac, "es", "sentinel-2-l2a", "2023-07-01", "2023-10-31", choose="monthly"), home)
    assert [scene.datetime and scene.datetime.month for scene in found] == [7, 8, 10]
    assert "no scene of 2023-09" in " ".join(found[0].notes)


def test_nothing_found_says_what_was_asked(stac: World, home: Path) -> None:
    with pytest.raises(SceneError, match=r"No item of sentinel-2-l2a was found from 2019-01-01"):
        scenes(source(stac, "es", "sentinel-2-l2a", "2019-01-01", "2019-02-01"), home)


def test_signatures_and_logins_stay_out_of_files_and_messages(
    stac: World, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    scenes(source(stac, "pc", "sentinel-2-l2a", "2023-06-01", "2023-06-15"), home)
    scenes(source(stac, "nasa", "HLSS30_2.0", "2023-05-01", "2023-05-15"), home)
    own = [record.getMessage() for record in caplog.records if record.name.startswith("engine")]
    kept = [path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "data"]
    for secret in (SECRET, BEARER, "somebody"):
        assert not any(secret in text for text in own)
        assert not any(secret.encode() in content for content in kept)


def test_a_login_goes_only_to_the_hosts_of_its_kind(
    stac: World, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_CATALOGUES", str(tmp_path / "none.yaml"))
    monkeypatch.setenv("EARTHDATA_TOKEN", "mine")
    for url, is_given in (
        ("https://data.lpdaac.earthdatacloud.nasa.gov/a.tif", True),
        ("https://sentinel-cogs.s3.us-west-2.amazonaws.com/a.tif", False),
    ):
        access.forget("earthdata")
        assert ("Authorization" in access.signed(url, "earthdata")[1]) == is_given
    access.forget("earthdata")


def test_an_account_that_is_missing_says_what_to_set(
    stac: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access.forget("earthdata")
    monkeypatch.delenv("EARTHDATA_USERNAME")
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(RemoteError, match=r"2023-05-11 .* Set EARTHDATA_TOKEN"):
        scenes(source(stac, "nasa", "HLSS30_2.0", "2023-05-01", "2023-05-15"), home)


@pytest.mark.parametrize("name", PRESETS)
def test_every_collection_has_bands_of_its_sensor(name: str) -> None:
    from engine.imagery.sensors.table import SENSORS

    for collection in PRESETS[name].collections:
        assert set(collection.bands.values()) <= set(SENSORS[collection.sensor].bands)
        assert re.fullmatch(r"https://[a-z0-9.-]+(/[\w.-]+)*", PRESETS[name].address)
