"""A decoder over ground: what fits becomes a map with hectares and files, what does not says why."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.__main__ import main
from engine.imagery.sources import FileScene
from engine.jobs.job import Job
from engine.learning.maps.facts import read_map
from pages.ui.apply import panel
from pages.ui.state import downloads, own_places
from tests.conftest import WriteRaster
from tests.pages.conftest import OpenPage, words


@pytest.fixture
def own_filled(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the filled workspace that a test may write to."""
    home = tmp_path / "own"
    shutil.copytree(filled, home)
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    return home


@pytest.fixture
def panels(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the panel in the browser was given; it answers with the threshold that it was given."""
    seen: list[dict[str, Any]] = []

    def stand_in(_name: str, **_parts: str) -> Any:
        def mount(**given: Any) -> None:
            seen.append(given["data"])

        return mount

    monkeypatch.setattr(panel.st.components.v2, "component", stand_in)
    return seen


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=downloads.routes()), base_url="http://127.0.0.1")


def test_a_job_maps_the_ground_and_page_files_and_command_say_the_same_hectares(
    open_page: OpenPage, own_filled: Path, panels: list[dict[str, Any]], client: TestClient, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    at = open_page("apply")
    at.multiselect[0].set_value(["store:run-extract"]).run()
    at.button(key="make_map").click().run()
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    job = Job.open(own_filled / at.query_params["job"])
    while job.state in ("queued", "running"):
        time.sleep(0.2)
    assert job.state == "finished", job.log_tail()
    at = open_page("apply", threshold="0.60", job=job.id)
    assert not at.exception
    assert not at.error, [error.value for error in at.error]
    told = panels[-1]
    assert "Report of all of it" in words(at)
    (burnt,) = told["classes"]
    hectares = sum(burnt["steps"][120:])
    assert told["threshold"] == 0.6
    assert hectares > 0
    assert "polygons of 1 ha or more" in told["counted"]
    assert read_map(job.folder / "maps" / "0").hectares_above(0.6)["burnt"] == pytest.approx(
        hectares, abs=0.01
    )
    files = {
        one["label"]: one["address"].replace("THRESHOLD", "0.60").replace("smallest=1", "smallest=0")
        for one in told["files"]
    }
    answer = client.get(f"/{files['Polygons, GeoPackage']}")
    assert answer.status_code == 200, answer.text
    (tmp_path / "taken.gpkg").write_bytes(answer.content)
    assert gpd.read_file(tmp_path / "taken.gpkg")["hectares"].sum() == pytest.approx(hectares, abs=0.05)
    assert "attachment" in answer.headers["content-disposition"]
    for kind in ("GeoPackage", "GeoJSON", "GeoPackage"):  # also when it is asked for again
        none = client.get(f"/{files[f'Polygons, {kind}'].replace('smallest=0', 'smallest=900000')}")
        assert (none.status_code, none.text.partition(",")[0]) == (
            409,
            "No polygon of 900000 ha or more lies above the threshold 0.60",
        )
    assert (
        main(
            [
                "map-files",
                str(job.folder / "maps" / "0"),
                "--threshold",
                "0.6",
                "--classes",
                str(tmp_path / "c.tif"),
            ]
        )
        == 0
    )
    assert f"{hectares:,.1f} ha" in capsys.readouterr().err
    with rasterio.open(tmp_path / "c.tif") as dataset:
        assert int((dataset.read(1) == 1).sum()) * 0.09 == pytest.approx(hectares, rel=5e-3)


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
    assert not at.exception
    assert at.multiselect[0].options
    assert not any("run-other" in option for option in at.multiselect[0].options)
    said = words(at)
    assert "patch" in said
    assert "in training and" in said


def test_a_place_that_lacks_a_band_is_not_exchanged_for_another_one_without_a_word(
    open_page: OpenPage, own_filled: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(3).integers(100, 4000, (3, 48, 48)).astype(np.int16)
    path = write_raster("three.tif", pixels, names=("blue", "green", "red"))
    key = own_places.keep("Three bands", FileScene(source="file", path=str(path)), "raw")
    at = open_page("apply", place=key)
    assert not at.exception
    assert at.multiselect[0].options and at.multiselect[0].value == []
    assert at.button(key="make_map").disabled
    said = [one.value for one in at.warning]
    assert [
        one for one in said if one.startswith("**Three bands** cannot be mapped with this decoder. It has no")
    ], said


def test_decoder_and_ground_stand_in_the_address_and_a_link_opens_them(
    open_page: OpenPage, own_filled: Path
) -> None:
    other = own_filled / "run-other"
    shutil.copytree(own_filled / "run-train", other)
    shutil.copytree(own_filled / "run-extract", own_filled / "run-more")
    at = open_page("apply")
    at.selectbox(key="apply_run").set_value("run-other").run()
    at.multiselect[0].set_value(["store:run-more"]).run()
    link = {name: value[0] if isinstance(value, list) else value for name, value in at.query_params.items()}
    assert (link["job"], link["ground"]) == ("run-other", "store:run-more")
    again = open_page("apply", **link)
    assert again.selectbox(key="apply_run").value == "run-other"
    assert again.multiselect[0].value == ["store:run-more"]
    absent = open_page("apply", job="run-other", ground="store:gone,store:run-more")
    assert absent.multiselect[0].value == ["store:run-more"]
    assert any("gone" in info.value for info in absent.info)
    absent.multiselect[0].set_value(["store:run-extract"]).run()
    assert not any("gone" in info.value for info in absent.info)


def test_without_a_decoder_the_page_leads_to_training(open_page: OpenPage, home: Path) -> None:
    at = open_page("apply")
    assert not at.exception
    assert at.button(key="go_train").label == "Train a decoder"


def test_a_map_whose_files_have_gone_says_so(open_page: OpenPage, own_filled: Path) -> None:
    config = own_filled / "apply.yaml"
    config.write_text(
        f"kind: apply\ndecoder: {own_filled}/run-train\nground: [{own_filled}/run-extract/store]\ndevice: cpu\n"
    )
    assert main(["apply", str(config), "--out", str(own_filled / "run-apply")]) == 0
    shutil.rmtree(own_filled / "run-apply" / "maps")
    at = open_page("apply", job="run-apply")
    assert not at.exception
    assert "no longer in its folder" in at.warning[0].value


@pytest.mark.parametrize(
    "headers",
    [{"host": "rebound.example"}, {"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}],
    ids=str,
)  # fmt: skip
def test_a_file_is_given_to_our_own_pages_only(
    headers: dict[str, str], client: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n")
    address = downloads.offer_file(tmp_path / "a.csv", "../../etc/<b>passwd.csv")
    assert client.get(f"/{address}").text == "a,b\n"
    assert client.get(f"/{address}", headers=headers).status_code == 403
    name = client.get(f"/{address}").headers["content-disposition"]
    assert "/" not in name
    assert "<" not in name


def test_an_address_that_was_not_offered_is_no_path(client: TestClient) -> None:
    for token in ("0" * 32, "..%2F..%2Fetc%2Fpasswd", "x"):
        assert client.get(f"/take/{token}").status_code == 404


def test_an_ensemble_is_chosen_among_decoders_of_one_kind_and_shows_where_they_disagree(
    open_page: OpenPage,
    own_filled: Path,
    drawn_maps: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    shutil.copytree(own_filled / "run-train", own_filled / "run-other")
    at = open_page("apply")
    at.selectbox(key="apply_run").set_value("run-train").run()
    at.multiselect[0].set_value(["store:run-extract"]).run()
    at.multiselect(key="apply_ensemble_run-train").set_value(["run-other"]).run()
    at.button(key="make_map").click().run()
    assert not at.exception
    (folder,) = own_filled.glob("*-apply-*")
    config = folder / "config.yaml"
    assert main(["apply", str(config), "--out", str(own_filled / "run-apply")]) == 0
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "pages.ui.apply.result.threshold_panel", lambda _, data: given.append(data) or data["threshold"]
    )
    shown = open_page("apply", job="run-apply", show="where they disagree")
    assert "GeoTIFF of disagreement" in [file["label"] for file in given[-1]["files"]]
    assert not shown.exception
    assert "mean of 2 decoders" in words(shown)
    names = [
        child._name for group in drawn_maps[-1]["feature_group_to_add"] for child in group._children.values()
    ]
    assert "ThresholdTiles" not in names
