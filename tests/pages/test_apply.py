"""A decoder over another store: what fits becomes a map with hectares and files, what does not says why."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import pytest
import rasterio
from streamlit.testing.v1 import AppTest

from engine.__main__ import main
from tests.pages.conftest import OpenPage, words


@pytest.fixture
def own_filled(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the filled workspace that a test may write to."""
    home = tmp_path / "own"
    shutil.copytree(filled, home)
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    return home


def _with_store(open_page: OpenPage, run: str) -> AppTest:
    """The page with a decoder and the store of a run."""
    at = open_page("apply", {"apply_store": run})
    assert not at.exception
    return at


def test_a_decoder_maps_a_store_and_the_files_hold_the_hectares_that_the_page_says(
    open_page: OpenPage, own_filled: Path
) -> None:
    at = _with_store(open_page, "run-extract")
    assert not at.warning, [warning.value for warning in at.warning]
    at.button(key="make_map").click().run()
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    folder = own_filled / "run-train" / "maps" / "run-extract"
    (burnt,) = at.metric
    in_packages = [
        gpd.read_file(folder / f"map.{ending}")["hectares"].sum() for ending in ("gpkg", "geojson")
    ]
    assert [f"{area:,.1f} ha" for area in in_packages] == [burnt.value] * 2
    with rasterio.open(folder / "map.tif") as dataset:
        counted = int((dataset.read(1) == 1).sum()) * dataset.res[0] ** 2 / 1e4
    assert in_packages[0] == pytest.approx(counted, rel=5e-3)
    assert counted > 0
    assert {button.key for button in at.get("download_button")} >= {"take_tif", "take_gpkg", "take_geojson"}


def test_a_map_that_was_made_is_there_at_the_next_visit_and_made_anew_once_the_store_has_changed(
    open_page: OpenPage, own_filled: Path
) -> None:
    _with_store(open_page, "run-extract").button(key="make_map").click().run()
    again = _with_store(open_page, "run-extract")
    assert [metric.label for metric in again.metric] == ["Burnt"]
    (own_filled / "run-extract" / "store" / "touched").touch()
    assert _with_store(open_page, "run-extract").button(key="make_map").label == "Make the map"


def test_a_store_that_does_not_fit_is_not_offered_and_says_why(open_page: OpenPage, own_filled: Path) -> None:
    config = own_filled / "other.yaml"
    text = (
        (own_filled / "extract.yaml")
        .read_text()
        .replace("name: raw", "name: raw\n  settings: {patch_px: '8'}")
    )
    config.write_text(text)
    assert main(["extract", str(config), "--out", str(own_filled / "run-other")]) == 0
    at = open_page("apply")
    assert not any("run-other" in label for label in at.selectbox(key="apply_store").options)
    said = words(at)
    assert "patch" in said
    assert "in training and" in said


def test_without_a_decoder_the_page_leads_to_training(open_page: OpenPage, home: Path) -> None:
    at = open_page("apply")
    assert not at.exception
    assert at.button(key="go_train").label == "Train a decoder"


def test_where_nothing_fits_the_page_leads_to_an_extraction_with_the_decoders_backbone(
    open_page: OpenPage, own_filled: Path
) -> None:
    for store in own_filled.glob("*/store"):
        shutil.rmtree(store)
    at = open_page("apply")
    assert not at.exception
    after = at.button(key="apply_extract").click().run()
    assert after.title[0].value == "Extract"
    assert after.session_state["backbone_name"] == "raw"
