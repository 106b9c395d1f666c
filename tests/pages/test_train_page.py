"""The Train page: settings that belong to a task and a head, the split shown before, the film, and forks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.jobs.configuration.config import TrainConfig, load_config, parse_config
from engine.learning import film_reel
from engine.learning.keeping.result import TrainRun
from tests.pages.conftest import OpenPage, words


@pytest.fixture(autouse=True)
def _nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)


def started(home: Path) -> TrainConfig:
    (path,) = home.glob("*/config.yaml")
    config = load_config(path)
    assert isinstance(config, TrainConfig)
    return config


def test_a_task_of_numbers_has_losses_of_numbers_and_heads_their_own_settings(
    open_page: OpenPage, home: Path
) -> None:
    at = open_page("train")
    at.segmented_control(key="t_task").set_value("dnbr").run()
    at.selectbox(key="t_head").set_value("knn").run()
    assert "fusion" not in at.selectbox(key="t_head").options
    assert at.selectbox(key="t_loss_numbers").value == "squared"
    at.number_input(key="t_neighbours").set_value(9).run()
    assert not [one for one in at.number_input if one.key in ("t_decay", "t_dropout")]
    at.button(key="start_train").click().run()
    assert not at.exception
    config = started(home)
    assert (config.task, config.head.name, config.head.neighbours, config.loss.name) == (
        "dnbr",
        "knn",
        9,
        "squared",
    )


def test_a_task_of_tiles_asks_the_season_for_rows_of_tiles(open_page: OpenPage, home: Path) -> None:
    at = open_page("train")
    at.segmented_control(key="t_task").set_value("tile_burnt").run()
    at.button(key="start_train").click().run()
    config = started(home)
    assert not isinstance(config.store, str)
    assert (config.store.granularity, config.store.pooling) == ("tile", "mean")


def test_a_sum_of_losses_is_written_as_it_is_read_and_a_wrong_one_is_told(
    open_page: OpenPage, home: Path
) -> None:
    at = open_page("train")
    at.selectbox(key="t_loss").set_value("sum").run()
    at.text_input(key="t_terms").set_value("cross_entropy: one").run()
    assert not at.exception
    assert any("terms" in warning.value for warning in at.warning)
    at.text_input(key="t_terms").set_value("cross_entropy: 1, lovasz: 0.25").run()
    at.button(key="start_train").click().run()
    assert started(home).loss.summed == {"cross_entropy": 1.0, "lovasz": 0.25}


def test_a_store_of_patches_is_refused_for_tiles_in_words(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("train")
    at.segmented_control(key="t_task").set_value("tile_burnt").run()
    assert not at.exception
    assert any("one row a tile" in warning.value for warning in at.warning)


def test_the_split_is_counted_and_drawn_before_a_start(
    open_page: OpenPage, filled_home: Path, drawn_maps: list
) -> None:  # type: ignore[type-arg]
    at = open_page("train")
    assert "3 tiles · 3 places" in words(at)
    at.toggle(key="t_split_map").set_value(True).run()
    assert not at.exception
    assert drawn_maps
    at.selectbox(key="t_split").set_value("date").run()
    assert any("none" in warning.value for warning in at.warning)  # the chips have no date


@pytest.fixture
def another(filled_home: Path) -> Iterator[Path]:
    """A second training of the same metric."""
    folder = filled_home / "run-another"
    shutil.copytree(filled_home / "run-train", folder)
    yield folder
    shutil.rmtree(folder)


def test_a_finished_training_shows_its_film_and_others_beside_it(
    open_page: OpenPage, filled_home: Path, another: Path
) -> None:
    run = TrainRun.open(filled_home / "run-train")
    assert [frame.epoch for frame in film_reel.frames(run.folder)] == [1, 2, 3]
    at = open_page("train", job="run-train")
    assert not at.exception
    assert "The map as it is learned" in words(at)
    at.select_slider(key="film_run-train").set_value(2).run()
    at.multiselect(key="compare_run-train").select(another.name).run()
    assert not at.exception


def test_a_fork_begins_with_the_settings_of_its_run(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("train", job="run-train")
    at.button(key="fork_train").click().run()
    assert not at.exception
    assert at.selectbox(key="t_head").value == "linear"
    assert at.number_input(key="t_epochs").value == 3
    assert "job" not in at.query_params


@pytest.mark.parametrize(
    "changes",
    [
        {"head": {"name": "linear"}, "epochs": 3, "position": "remove", "batch_patches": 77, "warm_up": 0.5},
        {
            "head": {"name": "conv", "hidden": [8], "dropout": 0.35}, "augment": "flips", "learning_rate": 3e-5, "seed": 7,
            "split": {"by": "block", "block_m": 1234.5, "validation": 0.3, "seed": 4}, "baselines": ["nbr"],
            "loss": {"name": "sum", "terms": {"dice": 0.123456, "lovasz": 2.0}}, "clip_norm": 1.5, "device": "cuda:1",
        },
        {
            "head": {"name": "knn", "neighbours": 3}, "labels": {"source": "raster", "path": "labels.tif"},
            "task": {"classes": [{"value": 3, "name": "sea", "weight": 2.5}, {"value": 7, "name": "land", "colour": "#112233"}]},
        },
        {"task": "dnbr", "loss": {"name": "huber"}, "labels": {"source": "files", "folders": ["masks"]}},
        {"store": {"kind": "extract", "scene": {"source": "simulated", "seed": 3}, "backbone": {"name": "raw"}}},
        {"store": {"kind": "extract", "scene": {"source": "simulated", "seed": 0, "date": "post"},
                   "backbone": {"name": "csmask_b4_l2a"}}, "head": {"name": "forest", "trees": 11}},
    ],
)  # fmt: skip
def test_the_form_after_a_fork_asks_for_what_its_run_asked_for(
    open_page: OpenPage, filled_home: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    tree = {"kind": "train", "device": "cpu", "store": str(filled_home / "run-extract" / "store"), **changes}
    config = parse_config(tree, "a run")
    monkeypatch.setattr("engine.jobs.job.Job.config", property(lambda _: config))
    at = open_page("train", job="run-train")
    asked: list[TrainConfig] = []
    monkeypatch.setattr("pages.ui.train.panel.start", lambda found, _: asked.append(found))
    at.button(key="fork_train").click().run()
    assert not at.exception
    assert asked[-1] == config
    assert "Fork of run-train" in words(at)
    at.button(key="t_leave_fork").click().run()
    assert not at.exception and "Fork of" not in words(at)


@pytest.mark.parametrize(("page", "field"), [("train", "t_epochs"), ("extract", "start_extract")])
def test_a_form_stands_at_the_same_place_with_and_without_a_job_above(
    open_page: OpenPage, filled_home: Path, page: str, field: str
) -> None:
    """A form that moves is drawn anew while the browser still shows the old one: it would be seen twice."""
    places = [_place_in_page(open_page(page, **address), field) for address in ({}, {"job": f"run-{page}"})]
    assert places[0] == places[1]


def _place_in_page(at: AppTest, field: str) -> int:
    """Which of the parts that a page is made of holds a widget."""
    return next(index for index, part in at.main.children.items() if field in _keys(part))


def _keys(part: Any) -> set[str]:
    below = [_keys(child) for child in getattr(part, "children", {}).values()]
    return {str(getattr(part, "key", ""))}.union(*below)


def test_labels_and_own_classes_go_with_their_store_and_the_labels_come_back_with_it(
    open_page: OpenPage, filled_home: Path
) -> None:
    at = open_page("train", {"store_job": "run-extract"})
    at.segmented_control(key="t_task").set_value("own").run()
    assert at.segmented_control(key="t_task").value == "own"
    at.segmented_control(key="t_labels").set_value("raster").run()
    at.text_input(key="t_label_path").set_value("mine.tif").run()
    assert "Nothing labels this ground" not in words(at)
    at.selectbox(key="train_store").set_value("").run()
    assert at.segmented_control(key="t_labels").value == "scene"
    assert at.segmented_control(key="t_task").value == "burn_scars"
    at.selectbox(key="train_store").set_value("run-extract").run()
    assert at.text_input(key="t_label_path").value == "mine.tif"
    assert at.segmented_control(key="t_task").value == "own"
    assert not at.exception
