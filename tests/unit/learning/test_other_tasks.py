"""Numbers for pixels and classes for tiles: scores against scikit-learn, and both from labels to maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from sklearn import metrics as oracle

from engine.errors import LabelError, StoreError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import (
    LossConfig,
    RegressionConfig,
    TileClassificationConfig,
    TrainConfig,
)
from engine.jobs.events import EpochDone, Event, TestDone, TrainPlanned
from engine.labels.reading import ClassLabels, NumberLabels, TileLabels
from engine.learning import film_reel
from engine.learning.evaluate import evaluate
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.table import BURN_SEVERITY, DNBR, task_of
from engine.learning.tasks.task import Task
from engine.learning.train import train

WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]
CLASSES = [{"value": 0, "name": "meadow"}, {"value": 1, "name": "charred"}, {"value": 2, "name": "water"}]


def tile_task(number: int, several: bool = False) -> Task:
    tree = {"name": "tile_classification", "classes": CLASSES[:number], "several": several}
    return task_of(TileClassificationConfig.model_validate(tree))


def run_of(config: TrainConfig, home: Path) -> tuple[TrainRun, list[Event]]:
    run_folder.create(home / "run", config)
    return TrainRun.open(home / "run"), list(train(config, home / "run", home))


def scores_of(events: list[Event]) -> dict[str, Any]:
    return next(event.scores for event in events if isinstance(event, TestDone))


@pytest.fixture
def numbers() -> tuple[Task, torch.Tensor, torch.Tensor]:
    """A fitted regression far from zero, outputs, and labels with gaps."""
    chance = torch.Generator().manual_seed(0)
    labels = 5000 + 3 * torch.randn(60, 16, generator=chance)
    outputs = labels + torch.randn(60, 16, generator=chance)
    labels[::4, ::3] = torch.nan
    task = task_of(RegressionConfig(name="regression", quantity="height", unit="m"))
    return task.fitted(labels.numpy(), LossConfig(name="squared")), outputs, labels


def test_scores_of_numbers_are_those_of_scikit_learn_over_batches_and_over_the_whole(
    numbers: tuple[Task, torch.Tensor, torch.Tensor],
) -> None:
    task, outputs, labels = numbers
    known = ~labels.isnan()
    truth, predicted = labels[known].double().numpy(), outputs[known].double().numpy()
    batches = torch.stack([task.counts(outputs[i : i + 7], labels[i : i + 7]) for i in range(0, 60, 7)]).sum(
        dim=0
    )
    found = task.metrics(batches.numpy())
    assert found["r2"] == pytest.approx(oracle.r2_score(truth, predicted), rel=1e-6)
    assert found["rmse"] == pytest.approx(oracle.root_mean_squared_error(truth, predicted), rel=1e-6)
    assert found["mae"] == pytest.approx(oracle.mean_absolute_error(truth, predicted), rel=1e-6)
    pixels = task.counts_of_pixels(labels.numpy(), task.predict(outputs).numpy())
    np.testing.assert_allclose(pixels, batches.numpy(), rtol=1e-6)
    assert task.scores(pixels)["bias"] == pytest.approx(float((predicted - truth).mean()), rel=1e-4)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("number", [2, 3])
def test_scores_of_tiles_are_those_of_scikit_learn(number: int, several: bool) -> None:
    chance = torch.Generator().manual_seed(number)
    task = tile_task(number, several)
    columns = number if several else 1
    labels = torch.randint(0, 2 if several else number, (50, columns), generator=chance).to(torch.int8)
    labels[::9] = -1
    outputs = torch.randn(50, task.outputs(16), generator=chance)
    predicted = task.predict(outputs)
    assert predicted.shape == labels.shape
    counts = task.counts(outputs, labels).numpy()
    assert (counts == task.counts_of_pixels(labels.numpy(), predicted.numpy())).all()
    known = (labels >= 0).all(dim=1)
    truth, mapped = labels[known].squeeze(1).numpy(), predicted[known].squeeze(1).numpy()
    found = task.scores(counts)
    for k, one in enumerate(task.classes):
        expected = (
            oracle.f1_score(truth[:, k], mapped[:, k])
            if several
            else oracle.f1_score(truth, mapped, labels=[k], average="macro")
        )
        assert found[f"f1_{one.key}"] == pytest.approx(expected)
    assert found["labelled_tiles"] == int(known.sum())
    assert found[task.watch] is not None
    loss = task.loss(outputs, labels, LossConfig())
    assert float(loss) == pytest.approx(
        float(task.loss(outputs[known], labels[known], LossConfig())), rel=1e-5
    )


def test_a_tile_is_what_enough_of_its_labelled_pixels_are() -> None:
    pixels = np.full((10, 10), -1, np.int8)
    pixels[:5], pixels[0, 0] = 0, 1
    plain = ClassLabels((0, 1), ("meadow", "charred"))
    assert TileLabels(plain, several=False, least_share=0.02).rows_of(pixels, 10).tolist() == [[1]]
    assert TileLabels(plain, several=False, least_share=0.03).rows_of(pixels, 10).tolist() == [[0]]
    assert TileLabels(plain, several=True, least_share=0.02).rows_of(pixels, 10).tolist() == [[1, 1]]
    assert TileLabels(plain, several=True, least_share=0.02).rows_of(pixels * 0 - 1, 10).tolist() == [
        [-1, -1]
    ]
    commonest = TileLabels(ClassLabels((0, 1, 2), ("a", "b", "c")), several=False, least_share=0.9)
    assert commonest.rows_of(pixels, 10).tolist() == [[0]]


def test_infinite_numbers_are_no_labels_and_others_may_mean_missing() -> None:
    reading = NumberLabels((-9.0,))
    values = np.array([1.5, -9.0, np.inf])
    assert reading.strange(values, np.array([True, True, False])) is None
    assert reading.strange(values, np.ones(3, bool)) == np.inf
    assert np.isnan(reading.labels_of(values, np.array([True, True, False]))).tolist() == [False, True, True]


def with_labels(
    chips: Path, name: str, values: Callable[[np.ndarray], np.ndarray], **profile: object
) -> Path:
    """Labels of a name beside the masks of chips, computed from the image."""
    for path in chips.glob("data/*_merged.tif"):
        stem = path.name.removesuffix("_merged.tif")
        with rasterio.open(path) as dataset:
            image, grid = dataset.read(), dataset.profile
        with rasterio.open(
            path.with_name(f"{stem}.{name}.tif"), "w", **{**grid, "count": 1, **profile}
        ) as out:
            out.write(values(image).astype(out.dtypes[0]), 1)
    return chips


@pytest.mark.parametrize(
    "head", [{"name": "mlp", "hidden": [32]}, {"name": "knn"}, {"name": "forest", "trees": 20}]
)
def test_numbers_are_learned_scored_and_mapped(
    head: dict[str, object], write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    def burn_ratio(image: np.ndarray) -> np.ndarray:
        ratio = (image[3] - image[5]) / (image[3] + image[5])
        ratio[:2] = np.nan
        return ratio

    chips = with_labels(write_chips(), "dnbr", burn_ratio, dtype="float32", nodata=np.nan)
    run, events = run_of(config_of(chips, task="dnbr", head=head, epochs=25), home)
    scores = scores_of(events)
    assert scores["r2"] > 0.8
    assert scores["pixels"] == 3 * 30 * 32
    assert scores["baseline"] is None
    assert evaluate(run.folder) == scores
    with rasterio.open(run.predictions) as dataset:
        assert dataset.dtypes == ("float32",)
        mapped = dataset.read(1, masked=True)
        assert dataset.tags()["EMBERSCOPE_QUANTITY"] == "dNBR"
    assert -1 < mapped.min() < mapped.max() < 1
    with rasterio.open(run.errors) as dataset:
        errors = dataset.read(1)
    assert np.sqrt(np.nanmean(errors.astype(np.float64) ** 2)) == pytest.approx(scores["rmse"], rel=1e-3)
    assert film_reel.frames(run.folder)
    assert all({"loss", "r2", "rmse", "mae"} <= set(e.validation) for e in events if isinstance(e, EpochDone))


def test_numbers_stored_scaled_are_read_in_their_unit_and_the_colour_bar_is_kept(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    chips = with_labels(write_chips(), "height", lambda image: 1000 * image[3], dtype="int16")
    for path in chips.glob("data/*.height.tif"):
        with rasterio.open(path, "r+") as dataset:
            dataset.scales, dataset.offsets = (0.1,), (5.0,)
    task = {"name": "regression", "quantity": "height", "unit": "m"}
    config = config_of(chips, task=task, labels={"name": "height"}, epochs=30)
    run, events = run_of(config, home)
    assert config.loss.name == "squared"
    assert scores_of(events)["r2"] > 0.8
    shown = run.decoder.taught.prediction_style.ramp
    assert shown is not None
    assert shown.title == "height (m)"
    assert 5 < shown.low < 15 < 35 < shown.high < 45  # 5 + 0.1 * 1000 * reflectance of 0.015 to 0.35


def test_labels_of_a_name_that_no_chip_has_are_refused_with_where_they_were_looked_for(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    with pytest.raises(LabelError, match=r"no labels named severity.*chip0\.severity\.tif"):
        run_of(config_of(write_chips(), task="burn_severity"), home)
    assert not list(home.glob("extract-*"))


@pytest.mark.parametrize("several", [False, True])
def test_tiles_are_classified_scored_and_mapped(
    several: bool, write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    chips = write_chips()
    for index in (1, 3, 5, 7):  # chips without a scar
        for path, bands in ((f"chip{index}_merged.tif", 6), (f"chip{index}.mask.tif", 1)):
            with rasterio.open(chips / "data" / path, "r+") as dataset:
                pixels = dataset.read()
                scar = (
                    rasterio.open(chips / "data" / f"chip{index}.mask.tif").read(1) == 1
                    if bands == 6
                    else pixels[0] == 1
                )
                pixels[:, scar] = np.array([0.03, 0.06, 0.04, 0.35, 0.2, 0.1])[:, None] if bands == 6 else 0
                dataset.write(pixels)
    task = {"name": "tile_classification", "classes": CLASSES[:2], "several": several}
    config = config_of(chips, task=task, head={"name": "linear"}, epochs=80, patience=80)
    tree = config.model_dump()
    tree["store"] |= {"granularity": "tile", "pooling": "mean"}
    run, events = run_of(TrainConfig.model_validate(tree), home)
    scores = scores_of(events)
    assert scores["labelled_tiles"] == scores["tiles"] == 3
    assert [event for event in events if isinstance(event, EpochDone)][-1].train["f1_charred"] == 1.0
    planned = next(event for event in events if isinstance(event, TrainPlanned))
    assert planned.classes["train"] == (
        {"meadow": 4, "charred": 2} if several else {"meadow": 2, "charred": 2}
    )
    with rasterio.open(run.predictions) as dataset:
        assert set(np.unique(dataset.read(1)).tolist()) <= {0, 1, 255}
        assert dataset.res == (30.0, 30.0)  # a tile on all of its pixels, where it lies
    assert evaluate(run.folder) == scores


def test_a_store_of_patches_is_refused_for_tiles_and_one_of_tiles_for_pixels() -> None:
    with pytest.raises(StoreError, match="granularity: tile and pooling: mean"):
        tile_task(2).require_rows("patch")
    for task in (DNBR, BURN_SEVERITY):
        with pytest.raises(StoreError, match="granularity: patch"):
            task.require_rows("tile")


def test_labels_that_teach_nothing_are_refused() -> None:
    same, known = np.full((2, 4), 3.0, np.float32), np.arange(8, dtype=np.float32).reshape(2, 4)
    with pytest.raises(LabelError, match="one number only, 3"):
        DNBR.require_labels({"train": same, "validation": known, "test": known})
    with pytest.raises(LabelError, match="test tiles have no labelled pixel"):
        DNBR.require_labels({"train": known, "validation": known, "test": same * np.nan})
    with pytest.raises(LabelError, match=r"no tile of the class charred.*least_share"):
        tile_task(2).require_labels(dict.fromkeys(("train", "validation", "test"), np.zeros((3, 1), np.int8)))
    with pytest.raises(LabelError, match="on all train tiles or on none"):
        tile_task(2, several=True).require_labels({"train": np.ones((3, 2), np.int8)})


def test_balanced_weights_make_rare_classes_count_like_common_ones() -> None:
    labels = np.array([[0] * 90 + [1] * 9 + [2] * 1 + [3] * 4 + [-1] * 7], np.int8)
    fitted = BURN_SEVERITY.fitted(labels, LossConfig(weights="balanced"))
    counts = np.bincount(labels[labels >= 0])
    assert np.ptp([one.weight * count for one, count in zip(fitted.classes, counts, strict=True)]) < 1e-9
    assert BURN_SEVERITY.fitted(labels, LossConfig()) == BURN_SEVERITY
