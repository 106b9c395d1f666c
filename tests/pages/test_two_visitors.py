"""Two people on one workspace: neither breaks what the other looks at, and no address shows another's run."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import StoreError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, FileScene, TrainConfig
from engine.jobs.event_log import append_event
from engine.jobs.events import Submitted
from engine.jobs.job import Job
from engine.views.comparing.dated_view import dated
from engine.views.layer_view import view_of
from engine.views.lens import reduction
from pages.ui.compare import data
from pages.ui.embeddings import lens_data
from pages.ui.state import results
from tests.pages.conftest import OpenPage, words


def test_two_visitors_of_one_lens_reduce_the_store_once_and_both_see_it_complete(
    filled_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(filled_home / "run-extract" / "overlays", ignore_errors=True)
    view = view_of(results.store_of(Job(filled_home / "run-extract")))
    computed: list[str] = []
    both_ask = threading.Barrier(2)
    write = reduction.write_file

    def counted(*given: object) -> object:
        computed.append(threading.current_thread().name)
        return write(*given)  # type: ignore[arg-type]

    def visit() -> int:
        both_ask.wait(timeout=60)
        return len(reduction.reduction_of(view).numbers())

    monkeypatch.setattr(reduction, "write_file", counted)
    with ThreadPoolExecutor(2) as visitors:
        seen = [visitor.result(timeout=120) for visitor in [visitors.submit(visit) for _ in range(2)]]
    assert seen == [view.store.rows] * 2
    assert len(computed) == 1


def test_a_lens_whose_file_was_removed_is_made_anew_and_a_deleted_store_is_said_to_be_gone(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(filled, tmp_path / "own")
    monkeypatch.setenv("EMBERSCOPE_HOME", str(tmp_path / "own"))
    folder = tmp_path / "own" / "run-extract"
    store = results.store_of(Job(folder))
    shown = lens_data.view(store, store.meta.layers[0], 1, "keep")
    for make in (
        lens_data.reduction,
        lens_data.norms,
        lambda view: data.reduction((str(folder), 0, 0, None, "keep"), dated(view)),
    ):
        path = make(shown).path
        path.unlink()
        assert make(shown).path == path and path.is_file()
    shutil.rmtree(folder)
    for make in (lens_data.reduction, lens_data.norms, lens_data.shown_seams):
        with pytest.raises(StoreError, match="gone"):
            make(shown)
    assert not folder.exists()


@pytest.mark.parametrize(
    "store", ["store", "store/", "./store", "/store", "run-extract/store", "~/a b/store"]
)
@pytest.mark.parametrize("name", ["runs", "evaluate", "train"])
def test_a_training_on_any_store_path_leaves_every_page_usable(
    open_page: OpenPage, home: Path, store: str, name: str
) -> None:
    folder = home / "20250101-000000-train-mlp-0000"
    run_folder.create(folder, TrainConfig(store=store))
    append_event(folder, Submitted())
    at = open_page(name)
    assert not at.exception


def test_a_training_whose_card_is_damaged_leaves_the_others_to_be_judged(
    open_page: OpenPage, filled_home: Path
) -> None:
    damaged = filled_home / "run-damaged"
    shutil.copytree(filled_home / "run-train", damaged)
    (damaged / "decoder.json").write_text("{", encoding="utf-8")
    try:
        at = open_page("evaluate", job="run-train")
        assert not at.exception
        assert at.selectbox(key="evaluate_run").value == "run-train"
    finally:
        shutil.rmtree(damaged)


@pytest.fixture
def second_training(filled_home: Path) -> object:
    """Another finished training, newer than the first."""
    second = filled_home / "run-second"
    shutil.copytree(filled_home / "run-train", second)
    scores = json.loads((second / "scores.json").read_text(encoding="utf-8"))
    (second / "scores.json").write_text(json.dumps({**scores, "iou_burned": 0.123456}), encoding="utf-8")
    yield second
    shutil.rmtree(second)


@pytest.mark.parametrize("job", ["run-train", "run-second"])
def test_evaluate_shows_the_training_that_its_address_names(
    open_page: OpenPage, filled_home: Path, second_training: Path, job: str
) -> None:
    at = open_page("evaluate", job=job)
    assert at.selectbox(key="evaluate_run").value == job
    assert ("0.123" in words(at)) == (job == "run-second")


def test_a_training_chosen_by_hand_stands_in_the_address(
    open_page: OpenPage, filled_home: Path, second_training: Path
) -> None:
    at = open_page("evaluate", job="run-train")
    at.selectbox(key="evaluate_run").set_value("run-second").run()
    assert at.query_params["job"] in ("run-second", ["run-second"])
    assert "0.123" in words(at)


@pytest.mark.parametrize(("name", "kind"), [("evaluate", "train"), ("embeddings", "extract")])
@pytest.mark.parametrize("job", ["gone", "../run-train", "*"])
def test_an_address_whose_run_is_not_there_shows_no_other_run(
    open_page: OpenPage, filled_home: Path, name: str, kind: str, job: str
) -> None:
    at = open_page(name, job=job)
    assert any("is not among the runs of this workspace" in info.value for info in at.info)
    assert not at.selectbox
    at.button(key="other_run").click().run()
    assert at.selectbox
    assert not at.exception


@pytest.mark.parametrize(("name", "job"), [("evaluate", "run-extract"), ("embeddings", "run-train")])
def test_an_address_whose_run_is_of_another_kind_says_so(
    open_page: OpenPage, filled_home: Path, name: str, job: str
) -> None:
    at = open_page(name, job=job)
    assert any("open it on its own page" in info.value.lower() for info in at.info)
    assert not at.selectbox


@pytest.mark.parametrize(("name", "job"), [("train", "run-extract"), ("extract", "run-train")])
def test_a_page_shows_no_panel_of_a_job_of_another_kind(
    open_page: OpenPage, filled_home: Path, name: str, job: str
) -> None:
    at = open_page(name, job=job)
    assert any("open it on its own page" in info.value.lower() for info in at.info)
    assert not at.get("progress")


def test_an_address_whose_run_has_not_finished_says_how_it_stands(
    open_page: OpenPage, filled_home: Path
) -> None:
    folder = filled_home / "run-stopped"
    scene = FileScene(source="file", path="assets/samples/virginia.tif")
    run_folder.create(folder, ExtractConfig(scene=scene, backbone=BackboneConfig(name="raw")))
    append_event(folder, Submitted())
    try:
        at = open_page("embeddings", job="run-stopped")
        assert any("has not finished" in info.value for info in at.info)
    finally:
        shutil.rmtree(folder)


def test_runs_shows_no_other_run_than_the_one_of_its_address(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("runs", job="gone")
    assert any("is not among the runs of this workspace" in info.value for info in at.info)
    assert "name: raw" not in words(at)
    at = open_page("runs", job="run-extract")
    at.segmented_control(key="runs_kind").set_value("Train").run()
    assert any("filter" in info.value for info in at.info)
    assert "name: raw" not in words(at)
