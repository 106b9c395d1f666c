"""The Leaderboard page: what it starts, what it says of a finished one, and how it leads on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from affine import Affine

from engine.__main__ import main
from engine.jobs.configuration.config import LeaderboardConfig, TrainConfig, load_config
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from tests.pages.conftest import OpenPage, words
from tests.unit.store.products.made import ALPHAEARTH_BANDS, alphaearth, in_8_bits, unit_vectors, write_tiff

BOARD = "run-leaderboard"


@pytest.fixture(scope="module")
def ranked(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the filled workspace in which a leaderboard of one store and one head has finished too."""
    home = tmp_path_factory.mktemp("ranked") / "home"
    shutil.copytree(filled, home)
    config = {
        "kind": "leaderboard", "stores": [str(home / "run-extract" / "store")], "heads": ["knn"], "seeds": [0, 1],
        "device": "cpu", "training": {"baselines": ["nbr"]},
    }  # fmt: skip
    path = home / "leaderboard.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert main(["leaderboard", str(path), "--out", str(home / BOARD)]) == 0
    return home


@pytest.fixture
def ranked_home(ranked: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That copy as the app's own."""
    monkeypatch.setenv("EMBERSCOPE_HOME", str(ranked))
    return ranked


def test_without_embeddings_it_says_what_happens_first_and_starts_with_the_season(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    at = open_page("leaderboard")
    assert "extracted first" in words(at)
    at.number_input(key="lb_seeds").set_value(2).run()
    at.toggle(key="lb_few").set_value(True).run()
    at.pills(key="lb_travel").set_value(["levels", "places"]).run()
    at.button(key="start_leaderboard").click().run()
    assert not at.exception
    (written,) = home.glob("*/config.yaml")
    config = load_config(written)
    assert isinstance(config, LeaderboardConfig)
    assert config.seeds == (0, 1)
    assert config.label_shares[0] == 0.01
    assert config.travels == ("place", "level")
    assert at.query_params["job"] in (written.parent.name, [written.parent.name])


def test_raw_pixels_of_labelled_scenes_are_said_to_be_a_baseline_only(
    open_page: OpenPage, filled_home: Path
) -> None:
    said = words(open_page("leaderboard"))
    assert "raw pixels only, which serve as a baseline" in said
    assert "No embeddings with labels" not in said


def test_a_finished_leaderboard_says_its_winner_data_and_files_and_leads_to_the_decoder(
    open_page: OpenPage, ranked_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    at = open_page("leaderboard", job=BOARD)
    assert not at.exception and not at.error
    said = words(at)
    assert "SIMULATED" in said
    assert "NBR" in said
    assert "only 2 test places" in said
    assert "GEO-Bench-2, CSV" in said
    assert list(at.dataframe[0].value["Head"]) == ["knn", "baseline"]
    assert set(at.dataframe[0].value["Data"]) == {"simulated, without pretraining", "simulated"}
    at.button(key="use_winner").click().run()
    started = list(ranked_home.glob("*-train-knn-*/config.yaml"))
    config = load_config(started[0])
    assert isinstance(config, TrainConfig)
    assert config.head.name == "knn"
    assert config.seed == 0


def test_a_leaderboard_stands_among_the_runs_with_its_verdict(open_page: OpenPage, ranked_home: Path) -> None:
    at = open_page("runs", job=BOARD)
    assert not at.exception and not at.error
    assert "Leaderboard · 1 × 1 × 2" in words(at)


def test_an_annual_product_is_set_beside_a_dated_extraction(
    open_page: OpenPage, ranked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(ranked, home)
    far = alphaearth(tmp_path / "2023" / "18N" / "far.tif", unit_vectors(20, 30))
    import_embeddings(far, home / "run-far", in_place=True)
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    at = open_page("leaderboard")
    at.segmented_control(key="lb_ask").set_value("Annual against dated").run()
    assert not at.exception and not at.error
    assert "no ground together" in words(at) and at.button(key="start_leaderboard").disabled
    _annual_on_the_ground_of(home / str(at.selectbox(key="lb_dated").value), home, tmp_path)
    at = open_page("leaderboard")
    at.segmented_control(key="lb_ask").set_value("Annual against dated").run()
    assert "has embeddings on 1 of the 6 tiles" in words(at)
    at.button(key="start_leaderboard").click().run()
    assert not at.exception
    config = load_config(next(home.glob("*-leaderboard-*/config.yaml")))
    assert isinstance(config, LeaderboardConfig)
    assert config.ground == "shared"
    dated, annual = (Path(str(one)).parent.name for one in config.stores)
    assert annual == "run-annual" != dated


def _annual_on_the_ground_of(run: Path, home: Path, tmp_path: Path) -> None:
    tile = EmbeddingStore.open(run).tiles[0]
    west, north = tile.pixel_transform @ (0, 0)
    file = write_tiff(
        tmp_path / "2023" / "10N" / "x.tif", in_8_bits(unit_vectors(20, 30)), ALPHAEARTH_BANDS, nodata=-128, crs=tile.crs,
        transform=Affine(10, 0, west, 0, -10, north),
    )  # fmt: skip
    import_embeddings(file, home / "run-annual", in_place=True)
