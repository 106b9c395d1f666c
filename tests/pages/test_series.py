"""A series of dates on the pages: opened as one, and joined as the Extract page offers."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engine.errors import EngineError
from engine.imagery.sources import StacScene, source_of
from pages.ui.state import own_places, uploads
from tests.pages.conftest import OpenPage, words
from tests.pages.test_own_scene import look_at
from tests.stac.range_server import range_server
from tests.stac.world import World
from tests.unit.cubes.made import DAYS, write_cube, write_geotiff


@pytest.fixture(autouse=True)
def _may_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))


def test_the_extract_page_offers_the_dates_of_a_series_and_how_they_are_joined(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    at = look_at(open_page("explore"), write_cube(tmp_path / "cube.zarr"))
    at.button(key="own_use").click().run()
    at.button(key="film_make").click().run()
    assert at.session_state["explore_film"][1][8:12] == b"WEBP"
    assert "data:image/webp;base64," in "".join(str(one.proto.body) for one in at.get("html"))
    at = at.switch_page("pages/extract.py").run()
    at.selectbox(key="extract_backbone").set_value("raw").run()
    assert "none between 2023-07-11 and 2023-07-31" in words(at)
    at.selectbox(key="x_temporal").set_value("concatenate").run()
    assert "temporal: concatenate" in words(at)
    assert "difference" not in at.selectbox(key="x_temporal").options
    slider = next(one for one in at.select_slider if one.label == "Dates")
    slider.set_range(slider.options[0], slider.options[1]).run()
    assert f"dates:\n  - '{DAYS[0]}'\n  - '{DAYS[1]}'" in words(at).replace("- - ", "- ")
    at.selectbox(key="extract_backbone").set_value("prithvi_eo_v2_tiny_tl").run()
    assert "dates at once, with their times" in words(at)
    assert not at.exception


def test_a_folder_of_dates_is_a_series_where_a_person_says_so(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    for day in range(3):
        write_geotiff(tmp_path / "dates" / f"{day}.tif", day)
    at = look_at(open_page("explore"), tmp_path / "dates")
    assert "source: files" in words(at)
    assert "3 dates of the same ground" in words(at)
    next(one for one in at.button_group if one.label == "These rasters are").set_value("series").run()
    assert "source: stack" in words(at)
    assert [one for one in at.button if one.key == "own_use"]


def test_a_cube_that_is_dropped_is_kept_and_one_that_is_none_is_refused(home: Path, tmp_path: Path) -> None:
    cube = write_cube(tmp_path / "cube.nc").read_bytes()
    dropped = uploads.told_apart([("My cube.nc", cube)])
    kept = uploads.store(dropped.rasters)
    assert [f"{one.datetime:%Y-%m-%d}" for one in source_of(kept).find(home)] == list(DAYS)
    for content in (b"text", cube[:3000]):
        with pytest.raises(EngineError, match=r"broken\.nc"):
            uploads.store(uploads.told_apart([("broken.nc", content)]).rasters)
    assert [one.name for one in uploads.uploads_folder().iterdir()] == [kept.parent.name]


def test_days_of_a_catalogues_series_are_chosen_one_by_one(
    open_page: OpenPage, stac: World, home: Path
) -> None:
    source = StacScene.model_validate({
        "source": "stac", "catalogue": "es", "collection": "sentinel-2-l2a", "bounds_lonlat": stac.bounds_lonlat,
        "dates": ("2023-07-01", "2023-10-31"), "choose": "monthly",
    })  # fmt: skip
    list(source.prepare(home))
    at = open_page("extract", place=own_places.keep("Months", source, "raw"))
    assert "3 dates of 3" in words(at)
    chosen = next(one for one in at.button_group if one.label == "Dates")
    chosen.set_value([day for day in chosen.value if day.month != 8]).run()
    assert "2 dates of 3" in words(at)
    assert "days:\n  - '2023-07-10'\n  - '2023-10-03'" in words(at)
    assert "difference" in {str(one).partition(" ")[0] for one in at.selectbox(key="x_temporal").options}
    next(one for one in at.button_group if one.label == "Dates").set_value([]).run()
    assert "No date of the series is chosen" in words(at)
    assert not at.exception


def test_a_zarr_store_on_another_computer_is_opened_by_its_address(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    with range_server(tmp_path / "files") as files:
        write_cube(files.folder / "far.2.zarr", "band")
        (home / "catalogues.yaml").write_text(yaml.safe_dump({"hosts": [files.host]}))
        at = look_at(open_page("explore"), f"{files.address}/none.zarr")
        assert "neither zarr.json nor .zmetadata" in words(at)
        at = look_at(open_page("explore"), f"{files.address}/far.2.zarr")
        assert f"path: {files.address}/far.2.zarr" in words(at)
        assert "<dd>blue, green, red, nir_narrow, swir_1, swir_2</dd>" in words(at)
        at.button(key="own_use").click().run()
        at = at.switch_page("pages/extract.py").run()
        assert "3 dates of 3" in words(at)
        assert not at.exception
