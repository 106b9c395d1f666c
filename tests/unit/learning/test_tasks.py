"""A task owns its classes, its scores and its maps, for any number of classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from sklearn import metrics as oracle

from engine.errors import LabelError, StoreError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import LossConfig, SegmentationConfig, TrainConfig
from engine.jobs.events import EpochDone, Event, TestDone
from engine.learning.baselines.table import BASELINES
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.table import BURN_SCARS, PRESETS, task_of
from engine.learning.tasks.task import Task
from engine.learning.train import train
from tests.predicted_map import predict_map

VALUES = (10, 30, 20, 200)
NAMES = ("Green ground", "Charred", "Water", "Rock")


def classes(number: int) -> dict[str, object]:
    named = [{"value": value, "name": name} for value, name in zip(VALUES, NAMES, strict=True)]
    return {"name": "segmentation", "classes": named[:number]}


def task(number: int) -> Task:
    return task_of(SegmentationConfig.model_validate(classes(number)))


@pytest.mark.parametrize("number", [2, 3, 4])
def test_counts_of_outputs_equal_counts_of_the_map_that_they_make(number: int) -> None:
    chance = torch.Generator().manual_seed(number)
    one = task(number)
    outputs = torch.randn(7, one.outputs(4), generator=chance)
    labels = torch.randint(-1, number, (7, 16), generator=chance).to(torch.int8)
    predicted = one.predict(outputs)
    assert predicted.shape == labels.shape
    counts = one.counts(outputs, labels).numpy()
    assert (counts == one.counts_of_pixels(labels.numpy(), predicted.numpy())).all()
    known = labels >= 0
    expected = oracle.confusion_matrix(labels[known], predicted[known], labels=range(number))
    assert (counts.reshape(number, number) == expected).all()


@pytest.mark.parametrize("number", [2, 3, 4])
def test_scores_equal_an_independent_implementation_and_hold_the_watched_metric(number: int) -> None:
    chance = np.random.default_rng(number)
    truth, predicted = chance.integers(0, number, 500), chance.integers(0, number, 500)
    one = task(number)
    counts = one.counts_of_pixels(truth, predicted)
    scores, told = one.scores(counts), one.metrics(counts)
    for index, own in enumerate(one.classes):
        assert scores[f"iou_{own.key}"] == pytest.approx(
            oracle.jaccard_score(truth, predicted, labels=[index], average="macro")
        )
    assert scores["miou"] == pytest.approx(oracle.jaccard_score(truth, predicted, average="macro"))
    assert scores["accuracy"] == pytest.approx(oracle.accuracy_score(truth, predicted))
    assert told[one.watch] == scores[one.watch]
    assert one.watch == ("iou_charred" if number == 2 else "miou")


def test_a_lower_loss_is_a_better_map_for_any_number_of_classes() -> None:
    for number in (2, 3, 4):
        one = task(number)
        labels = torch.randint(0, number, (5, 16), generator=torch.Generator().manual_seed(0)).to(torch.int8)
        outputs = torch.zeros(5, one.outputs(4), requires_grad=True)
        for _ in range(60):
            loss = one.loss(outputs, labels, LossConfig())
            (step,) = torch.autograd.grad(loss, outputs)
            outputs = (outputs - 40 * step).detach().requires_grad_()
        assert (one.predict(outputs.detach()) == labels).all()


def test_maps_have_the_classes_own_values_and_nothing_where_there_is_none() -> None:
    one = task(3)
    predicted, truth = np.array([0, 1, 2, -1, 1]), np.array([0, 2, 2, 1, -1])
    assert one.map_values(predicted).tolist() == [10, 30, 20, 255, 30]
    assert one.errors(predicted, truth).tolist() == [0, 3, 0, 255, 255]
    assert one.prediction_style.names == {10: "Green ground", 30: "Charred", 20: "Water"}
    assert set(one.prediction_style.colours) == {10, 20, 30, 255}
    pairs = np.array([[0, 0], [1, 1], [1, 0], [0, 1], [-1, 1]]).T
    assert BURN_SCARS.errors(*pairs).tolist() == [0, 1, 2, 3, 255]
    assert set(BURN_SCARS.error_style.names) == {0, 1, 2, 3}


def test_classes_keep_their_colours_and_others_get_colours_that_differ() -> None:
    many = [{"value": value, "name": f"class {value}"} for value in range(40)]
    many[3]["colour"] = "#102030"
    colours = [one.colour for one in task_of(SegmentationConfig.model_validate({"classes": many})).classes]
    assert colours[3] == (16, 32, 48, 255)
    assert len(set(colours)) == 40


def test_every_class_must_be_there_to_be_learned_and_two_must_be_there_to_be_judged() -> None:
    whole, part = np.array([[0, 1, 2, -1]], np.int8), np.array([[0, 1, -1, -1]], np.int8)
    task(3).require_labels({"train": whole, "validation": part, "test": part})
    with pytest.raises(LabelError, match="train tiles have no pixel of the class Water"):
        task(3).require_labels({"train": part, "validation": whole, "test": whole})
    with pytest.raises(LabelError, match="test tiles have no labelled pixel"):
        task(3).require_labels({"train": whole, "validation": part, "test": np.full((1, 4), -1)})
    with pytest.raises(LabelError, match="validation tiles have no pixel of the class burnt"):
        BURN_SCARS.require_labels({"train": part, "validation": part * 0, "test": part})


def test_rows_of_tiles_have_no_pixels_to_give_classes_to() -> None:
    with pytest.raises(StoreError, match="granularity: patch"):
        BURN_SCARS.require_rows("tile")


def test_baselines_belong_to_presets() -> None:
    assert set(BASELINES) <= set(PRESETS)
    assert BASELINES["burn_scars"][0].bands == ("nir_narrow", "swir_2")
    assert [rule.key for rule in BASELINES["burn_scars"]] == list(TrainConfig(store="x").baselines)


@pytest.fixture
def land_cover(write_chips: Callable[..., Path]) -> Path:
    """The chips with masks of three classes: 10 green ground, 30 charred, 20 water; 77 is no class."""
    chips = write_chips("cover")
    for path in chips.glob("data/*.mask.tif"):
        with rasterio.open(path) as dataset:
            burned, profile = dataset.read(1), dataset.profile
        values = np.where(burned == 1, 30, 10)
        values[:, :4][burned[:, :4] != 1] = 20
        values[:2] = 77
        with rasterio.open(path, "w", **profile) as out:
            out.write(values.astype(np.int16), 1)
    return chips


def run_of(config: TrainConfig, home: Path) -> tuple[TrainRun, list[Event]]:
    run_folder.create(home / "run", config)
    return TrainRun.open(home / "run"), list(train(config, home / "run", home))


@pytest.mark.parametrize("head", ["mlp", "conv"])
def test_three_classes_are_learned_scored_and_mapped(
    head: str, land_cover: Path, config_of: Callable[..., TrainConfig], home: Path, tmp_path: Path
) -> None:
    more = {"task": {**classes(3), "missing": [77]}, "head": {"name": head, "hidden": [32]}, "epochs": 20}
    run, events = run_of(config_of(land_cover, **more), home)
    scores = next(event.scores for event in events if isinstance(event, TestDone))
    assert min(scores[f"iou_{key}"] for key in ("green_ground", "charred", "water")) > 0.7
    assert scores["pixels"] == 3 * 30 * 32
    assert scores["baseline"] is None
    assert all({"loss", "miou", "iou_water"} <= set(e.validation) for e in events if isinstance(e, EpochDone))
    assert [one.title for one in run.task.classes] == ["Green ground", "Charred", "Water"]
    mapped = predict_map(run.folder, run.store_folder, tmp_path / "map.tif", home).path
    with rasterio.open(mapped) as dataset:
        assert set(np.unique(dataset.read(1)).tolist()) == {10, 20, 30, 255}
        assert dataset.tags()["EMBERSCOPE_CLASS_30"] == "Charred"
        assert dataset.colormap(1)[30] == run.task.classes[1].colour
    with rasterio.open(run.errors) as dataset:
        errors = dataset.read(1)
        right = int(np.trace(scores["confusion"]))
        assert [(errors == kind).sum() for kind in (0, 3)] == [right, scores["pixels"] - right]


def test_only_the_baselines_task_reads_reflectances_again(
    land_cover: Path, config_of: Callable[..., TrainConfig], home: Path
) -> None:
    run_of(config_of(land_cover, task={**classes(3), "missing": [77]}, epochs=1, patch_px=2), home)
    assert len(list(home.glob("extract-*"))) == 1


def test_a_label_that_is_no_class_is_refused_before_the_extraction(
    land_cover: Path, config_of: Callable[..., TrainConfig], home: Path
) -> None:
    path = next(land_cover.glob("data/*.mask.tif"))
    config = config_of(land_cover, task=classes(3), labels={"source": "raster", "path": str(path)})
    with pytest.raises(LabelError, match=r"value 77.*10 \(Green ground\), 30 \(Charred\), 20 \(Water\)"):
        run_of(config, home)
    assert not list(home.glob("extract-*"))
