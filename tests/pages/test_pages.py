"""Every page in its three states: nothing there yet, something to show, something wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, FileScene, load_config
from engine.jobs.event_log import append_event
from engine.jobs.events import ExtractPlanned, Failed, Started, Submitted, TileDone
from tests.pages.conftest import OpenPage, words

NAMES = (
    "explore",
    "extract",
    "embeddings",
    "compare",
    "label",
    "train",
    "evaluate",
    "leaderboard",
    "apply",
    "backbones",
    "runs",
)
PAGES = Path(__file__).resolve().parents[2] / "pages"


@pytest.mark.parametrize("name", NAMES)
def test_every_page_can_be_drawn_in_an_empty_workspace(open_page: OpenPage, home: Path, name: str) -> None:
    at = open_page(name)
    assert not at.exception
    assert [title.value for title in at.title] == [name.capitalize()]


@pytest.mark.parametrize("name", NAMES)
def test_every_page_can_be_drawn_in_a_filled_workspace(
    open_page: OpenPage, filled_home: Path, name: str
) -> None:
    at = open_page(name)
    assert not at.exception
    assert not at.error


@pytest.mark.parametrize(
    ("name", "key"),
    [("embeddings", "go_extract"), ("evaluate", "go_train"), ("apply", "go_train"), ("runs", "go_first_run")],
)
def test_an_empty_page_says_what_to_do_and_leads_there(
    open_page: OpenPage, home: Path, name: str, key: str
) -> None:
    at = open_page(name)
    button = at.button(key=key)
    assert button.label
    after = button.click().run()
    assert after.title[0].value in ("Extract", "Train")


def test_explore_tells_area_tiles_megabytes_and_time_before_anything_starts(
    open_page: OpenPage, home: Path
) -> None:
    said = words(open_page("explore"))
    for name in ("Area", "km²", "Tiles", "Patches", "MB", "Time"):
        assert name in said
    assert not list(home.glob("*/config.yaml"))


def test_explore_gives_the_map_tiles_of_our_own_address_with_source_and_date(
    open_page: OpenPage, home: Path, drawn_maps: list[dict[str, Any]]
) -> None:
    open_page("explore")
    tiles = [child for group in drawn_maps[-1]["feature_group_to_add"] for child in group._children.values()]
    addresses = [child.tiles for child in tiles if hasattr(child, "tiles")]
    assert addresses
    assert all(address.startswith("../../tiles/") for address in addresses)
    assert "date not stated by the source" in str([getattr(child, "options", {}) for child in tiles])


def test_a_drawn_polygon_becomes_the_region(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = [[-75.6, 37.7], [-75.55, 37.7], [-75.55, 37.74], [-75.6, 37.74], [-75.6, 37.7]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    monkeypatch.setattr("streamlit_folium.st_folium", lambda figure, **given: {"all_drawings": [feature]})
    at = open_page("explore")
    assert at.session_state["region"].polygon_lonlat == tuple(map(tuple, ring[:-1]))
    assert at.button(key="use_region").label == "Use this region"


def test_a_drawn_polygon_that_crosses_itself_is_refused_in_words(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = [[-75.6, 37.7], [-75.55, 37.74], [-75.55, 37.7], [-75.6, 37.74], [-75.6, 37.7]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    monkeypatch.setattr("streamlit_folium.st_folium", lambda figure, **given: {"all_drawings": [feature]})
    at = open_page("explore")
    assert any("cross" in warning.value for warning in at.warning)
    assert at.session_state["region"] is None


def test_a_region_in_the_address_outlives_a_refresh(open_page: OpenPage, home: Path) -> None:
    at = open_page("explore", region="-75.60000,37.70000,-75.55000,37.74000")
    assert at.session_state["region"].bounds_lonlat == (-75.6, 37.7, -75.55, 37.74)


@pytest.mark.parametrize("junk", ["1,2", "[[1]]", "nan,nan,nan,nan", "[", "500,0,501,1", "../../etc/passwd"])
def test_a_region_in_the_address_that_is_none_is_left_out(open_page: OpenPage, home: Path, junk: str) -> None:
    at = open_page("explore", region=junk)
    assert not at.exception
    assert at.session_state["region"] is None


def test_a_region_outside_every_scene_is_refused_where_the_cost_would_stand(
    open_page: OpenPage, home: Path
) -> None:
    at = open_page("explore", region="10.00000,50.00000,10.10000,50.10000")
    assert any("meets none of the scenes" in warning.value for warning in at.warning)


def test_an_extraction_starts_once_and_its_job_stands_in_the_address(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    at = open_page("extract")
    at.button(key="start_extract").click().run()
    at.button(key="start_extract").click().run()
    (folder,) = [path.parent for path in home.glob("*/config.yaml")]
    assert at.query_params["job"] in (folder.name, [folder.name])
    assert "Starting" in words(at) + str([bar.proto for bar in at.get("progress")])


def test_the_panel_shows_progress_and_a_failure_in_the_jobs_own_words(
    open_page: OpenPage, home: Path
) -> None:
    folder = _job(home, Started(1, 0.0, "cpu"), ExtractPlanned(4, 64, 0, "raw", "none", "cpu"),
                  TileDone(1, 4, 16, 1.0, "t1"), Failed("part-00001 could not be written: the disk is full. Free some space.", "DiskFull"))  # fmt: skip
    at = open_page("extract", job=folder.name)
    assert any("Free some space" in error.value for error in at.error)
    assert at.button(key="resume").label == "Resume where it stopped"
    assert "1 / 4" in words(at)


def test_an_interrupted_job_is_called_so_and_can_be_resumed(open_page: OpenPage, home: Path) -> None:
    folder = _job(home, Started(1, 0.0, "cpu"), TileDone(1, 4, 16, 1.0, "t1"))
    at = open_page("extract", job=folder.name)
    assert "Interrupted" in words(at)
    assert at.button(key="resume")


@pytest.mark.parametrize("junk", ["nothing", "../..", "/etc", "%2e%2e"])
def test_a_job_in_the_address_that_is_none_is_said_to_be_gone(
    open_page: OpenPage, home: Path, junk: str
) -> None:
    at = open_page("extract", job=junk)
    assert any("is not among the runs of this workspace" in info.value for info in at.info)


def test_embeddings_are_shown_with_variance_source_and_both_warnings(
    open_page: OpenPage, filled_home: Path
) -> None:
    said = words(open_page("embeddings"))
    assert "SIMULATED" in said
    assert "of the variance" in said
    assert list(filled_home.glob("*/overlays/lens-layer-0-window-*.bin"))


def test_a_damaged_store_is_reported_in_words(open_page: OpenPage, home: Path) -> None:
    folder = _job(home, Submitted())
    (folder / "store").mkdir()
    at = open_page("embeddings")
    assert not at.exception
    assert any("is no embedding store" in warning.value for warning in at.warning)


def test_evaluate_shows_the_decoder_beside_the_baseline(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("evaluate")
    scores = json.loads((filled_home / "run-train" / "scores.json").read_text())
    said = words(at)
    assert f"{scores['iou_burned']:.3f}" in said
    assert f"{scores['baseline_iou_burned']:.3f}" in said
    assert "NBR" in said
    assert "SIMULATED" in said


def test_runs_give_configuration_and_command_of_each_job(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("runs", job="run-extract")
    said = words(at)
    assert "python -m engine extract" in said
    assert "name: raw" in said


def test_what_happens_where_tiles_overlap_is_asked_once_they_do(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    at = open_page("extract")
    overlap = "x_overlap_rcf_False"
    at.number_input(key=overlap).set_value(0).run()
    with pytest.raises(KeyError):
        at.segmented_control(key="x_merge")
    at.number_input(key=overlap).set_value(64).run()
    at.segmented_control(key="x_merge").set_value("blend").run()
    at.button(key="start_extract").click().run()
    (written,) = home.glob("*/config.yaml")
    config = load_config(written)
    assert isinstance(config, ExtractConfig)
    assert config.tiles.merge == "blend"


def test_random_weights_are_said_before_the_start(open_page: OpenPage, home: Path) -> None:
    at = open_page("extract")
    at.segmented_control(key="x_weights_rcf").set_value("random").run()
    assert any("Random weights" in warning.value for warning in at.warning)


def test_a_time_that_nothing_has_measured_is_said_to_be_unknown_and_how_to_learn_it(
    open_page: OpenPage, home: Path
) -> None:
    at = open_page("extract")
    at.selectbox(key="x_device").set_value("cuda").run()
    assert not at.exception
    assert "not known yet" in words(at)
    assert "python -m engine bench" in words(at)


def test_backbones_lists_all_and_filters_by_what_the_place_has(open_page: OpenPage, home: Path) -> None:
    at = open_page("backbones")
    everything = len(at.dataframe[0].value)
    at.toggle(key="b_fits").set_value(True).run()
    fitting = at.dataframe[0].value
    assert 0 < len(fitting) < everything
    assert set(fitting["Fits Virginia coast"]) == {"yes"}


def _job(home: Path, *events: Any) -> Path:
    """A run folder with a past that no process has lived."""
    config = ExtractConfig(
        scene=FileScene(source="file", path="assets/samples/virginia.tif"),
        backbone=BackboneConfig(name="raw"),
    )
    folder = home / "20250101-000000-extract-raw-0000"
    run_folder.create(folder, config)
    for event in (Submitted(), *events):
        append_event(folder, event)
    return folder


def test_the_health_card_judges_a_store_in_words(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("embeddings").button(key="health").click().run()
    assert not at.exception and not at.error
    said = " ".join(str(one.value) for one in (*at.info, *at.warning, *at.caption, *at.markdown))
    assert "These numbers" in said or "No sign of random weights" in said
    for name in ("Position share", "Seam score", "Border share", "Effective rank", "Channels", "--shift"):
        assert name in said, name
