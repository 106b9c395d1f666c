"""A training with classes of one's own: every page takes names and colours from the run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.__main__ import main
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import (
    RegressionConfig,
    SegmentationConfig,
    TileClassificationConfig,
    TrainConfig,
    load_config,
    parse_config,
)
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.task import TaskClass
from pages.ui.look import metrics
from pages.ui.look.style import css
from tests.pages.conftest import OpenPage, words

CLASSES = [{"value": 0, "name": "meadow", "colour": "#11aa22"}, {"value": 1, "name": "lake <deep>"}]


@pytest.fixture(scope="module")
def trained(filled: Path) -> Iterator[Path]:
    """A training on the filled workspace whose two classes are not burn scars."""
    config = {
        "kind": "train", "store": str(filled / "run-extract" / "store"), "epochs": 2, "device": "cpu",
        "head": {"name": "linear"}, "task": {"name": "segmentation", "classes": CLASSES},
    }  # fmt: skip
    path, folder = filled / "lakes.yaml", filled / "run-lakes"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBERSCOPE_HOME", str(filled))
        assert main(["train", str(path), "--out", str(folder)]) == 0
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["evaluate", "train", "runs"])
def test_a_page_names_the_classes_of_the_run_and_nothing_of_burn_scars(
    open_page: OpenPage, filled_home: Path, trained: Path, name: str
) -> None:
    at = open_page(name, job=trained.name)
    assert not at.exception
    charts = str([chart.proto for chart in at.get("plotly_chart")])
    if name == "train":
        assert at.get("progress"), "the panel of the job is not there"
    said = words(at) if name == "evaluate" else charts
    assert "lake" in said + charts
    for foreign in ("burnt", "NBR", "iou_burned"):
        assert foreign not in charts
        assert name != "evaluate" or foreign not in said


def test_the_legend_has_the_colours_of_the_maps_that_the_run_left(
    open_page: OpenPage, filled_home: Path, trained: Path, drawn_maps: list[dict[str, Any]]
) -> None:
    at = open_page("evaluate", job=trained.name)
    task = TrainRun.open(trained).task
    for view, style in (("Predicted", task.prediction_style), ("Errors", task.error_style)):
        at.segmented_control(key="evaluate_view").set_value(view).run()
        assert not at.exception
        drawn = [
            layer for group in drawn_maps[-1]["feature_group_to_add"] for layer in group._children.values()
        ]
        legends = [layer.options["legend"] for layer in drawn if "legend" in getattr(layer, "options", {})]
        swatches = legends[-1]["swatches"]
        wanted = [[css(style.colours[value]), name] for value, name in style.names.items()]
        assert swatches == [swatch for swatch in wanted if not swatch[0].endswith("0.00)")]


def test_metrics_have_titles_of_their_measure_and_class_and_unknown_ones_keep_their_name() -> None:
    classes = tuple(
        TaskClass(key, key.replace("_", " "), i, (0, 0, 0, 255))
        for i, key in enumerate(("bare_soil", "crop"))
    )
    titles = {
        name: metrics.title(name, classes)
        for name in ("loss", "miou", "iou_bare_soil", "f1_crop", "iou_lake", "rmse")
    }
    assert titles == {
        "loss": "Loss", "miou": "Mean IoU", "iou_bare_soil": "IoU, bare soil", "f1_crop": "F1, crop",
        "iou_lake": "iou lake", "rmse": "RMSE",
    }  # fmt: skip
    assert metrics.unit("iou_crop") == metrics.SHARE
    assert metrics.unit("rmse") == ""


def test_a_training_with_classes_of_ones_own_is_started_from_the_page(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    at = open_page("train")
    at.segmented_control(key="t_task").set_value("own").run()
    at.text_area(key="t_classes").set_value("0 meadow\n3 deep lake #0072B2\n\n7 bare soil").run()
    assert not at.exception
    assert "Mean IoU" in words(at)
    at.button(key="start_train").click().run()
    (path,) = home.glob("*/config.yaml")
    config = load_config(path)
    assert isinstance(config, TrainConfig)
    assert isinstance(config.task, SegmentationConfig)
    assert [(one.value, one.name, one.colour) for one in config.task.classes] == [
        (0, "meadow", None), (3, "deep lake", "#0072B2"), (7, "bare soil", None),
    ]  # fmt: skip


def test_numbers_and_classes_of_tiles_of_ones_own_are_started_from_the_page(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    at = open_page("train")
    at.segmented_control(key="t_task").set_value("own_numbers").run()
    at.text_input(key="t_quantity").set_value("canopy height")
    at.text_input(key="t_unit").set_value("m")
    at.number_input(key="t_low").set_value(40.0)
    at.number_input(key="t_high").set_value(2.5).run()
    assert any("must be smaller" in warning.value for warning in at.warning)
    at.number_input(key="t_low").set_value(0.5).run()
    assert not at.exception
    assert "numbers in m" in words(at)
    at.button(key="start_train").click().run()
    (path,) = home.glob("*/config.yaml")
    config = load_config(path)
    assert isinstance(config, TrainConfig)
    assert config.task == RegressionConfig(
        name="regression", quantity="canopy height", unit="m", shown=(0.5, 2.5)
    )
    assert config.loss.name == "squared"
    path.unlink()
    at = open_page("train")
    at.segmented_control(key="t_task").set_value("own_tiles").run()
    at.text_area(key="t_classes").set_value("3 lake\n7 wood #33a02c")
    at.toggle(key="t_several").set_value(True)
    at.number_input(key="t_least").set_value(30.0).run()
    assert not at.exception
    at.button(key="start_train").click().run()
    (path,) = home.glob("*/config.yaml")
    config = load_config(path)
    assert isinstance(config, TrainConfig)
    assert isinstance(config.task, TileClassificationConfig)
    assert (config.task.several, config.task.least_share) == (True, 0.3)
    assert [(one.value, one.name) for one in config.task.classes] == [(3, "lake"), (7, "wood")]
    assert not isinstance(config.store, str)
    assert config.store.granularity == "tile"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "task",
    [
        {"name": "segmentation", "missing": [9, 254], "classes": [
            {"value": 0, "name": "meadow", "colour": "#11aa22", "weight": 2.5}, {"value": 3, "name": "lake & river"},
        ]},
        {"name": "tile_classification", "several": True, "least_share": 0.125, "classes": [
            {"value": 0, "name": "meadow"}, {"value": 3, "name": "lake"},
        ]},
        {"name": "regression", "quantity": "biomass", "unit": "t/ha", "shown": [-2, 40.5], "missing": [-9999.5]},
    ],
)  # fmt: skip
def test_a_fork_asks_for_the_same_task_and_labels_as_its_run(
    open_page: OpenPage, filled: Path, tmp_path: Path, task: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(shutil.copytree(filled, tmp_path / "home"))
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    of_tiles = task["name"] == "tile_classification"
    store = (
        {"kind": "extract", "scene": {"source": "simulated", "seed": 0, "date": "post"}, "granularity": "tile",
         "pooling": "mean", "backbone": {"name": "csmask_b4_l2a"}}
        if of_tiles else str(home / "run-extract" / "store")
    )  # fmt: skip
    tree = {"kind": "train", "store": store, "task": task, "labels": {"source": "raster", "path": "mine.tif"}}
    config = parse_config(tree)
    run_folder.create(home / "run-forked", config)
    at = open_page("train", job="run-forked")
    at.button(key="fork_train").click().run()
    assert not at.exception
    if of_tiles:
        at.selectbox(key="train_store").set_value("").run()
    before = {path.parent for path in home.glob("*/config.yaml")}
    at.button(key="start_train").click().run()
    (made,) = {path.parent for path in home.glob("*/config.yaml")} - before
    found = load_config(made / "config.yaml")
    assert isinstance(found, TrainConfig)
    assert isinstance(config, TrainConfig)
    assert (found.task, found.labels, found.store) == (config.task, config.labels, config.store)


@pytest.mark.parametrize(
    "text", ["", "0 meadow", "0 meadow\n0 lake", "zero meadow\n1 lake", "0 meadow\n1 lake #blue", "0\n1"]
)
def test_classes_that_cannot_be_used_are_refused_in_words_and_nothing_starts(
    open_page: OpenPage, home: Path, text: str
) -> None:
    at = open_page("train")
    at.segmented_control(key="t_task").set_value("own").run()
    at.text_area(key="t_classes").set_value(text).run()
    assert not at.exception
    assert any("classes" in warning.value.lower() for warning in at.warning)
    assert not list(home.glob("*/config.yaml"))
