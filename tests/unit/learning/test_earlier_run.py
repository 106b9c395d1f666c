"""Runs, labels and decoders of the first version open, score and apply as they did when they were written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.labels.sidecar import open_labels
from engine.learning.evaluate import evaluate
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.table import BURN_SCARS
from tests.predicted_map import predict_map

KEPT = Path(__file__).parent / "earlier"


@pytest.fixture
def run(tmp_path: Path) -> TrainRun:
    shutil.copytree(KEPT, tmp_path / "earlier")
    return TrainRun.open(tmp_path / "earlier" / "run")


def test_its_scores_come_out_again(run: TrainRun) -> None:
    written = json.loads((run.folder / "scores.json").read_text())
    found = evaluate(run.folder)
    baseline, found_baseline = written.pop("baseline"), found["baseline"]
    assert {key: found[key] for key in written} == written
    assert {key: found_baseline[key] for key in baseline} == baseline


def test_its_card_says_burn_scars_and_what_it_was_fitted_to(run: TrainRun) -> None:
    assert run.task == BURN_SCARS
    assert run.decoder.baseline == {"threshold": -0.387}
    assert run.decoder.gsd_m is run.decoder.settings is None


def test_it_maps_a_store_as_it_mapped_its_test_tiles(run: TrainRun, tmp_path: Path, home: Path) -> None:
    mapped = predict_map(run.folder, run.store_folder, tmp_path / "map.tif", home)
    assert mapped.notes == ()
    with rasterio.open(run.predictions) as before, rasterio.open(mapped.path) as now:
        west, north = ~now.transform @ (before.transform.c, before.transform.f)
        window = rasterio.windows.Window(west, north, before.width, before.height)
        again = now.read(1, window=window)
        assert (again == before.read(1)).all()
        assert {0, 1, 255} <= set(np.unique(now.read(1)).tolist())
        assert now.colormap(1)[1] == before.colormap(1)[1]


def test_its_epochs_and_labels_are_read(run: TrainRun) -> None:
    assert [epoch.epoch for epoch in run.history] == [1, 2, 3, 4, 5, 6]
    assert all(epoch.watch == "iou_burned" for epoch in run.history)
    labels = open_labels((run.folder / run.decoder.labels).resolve())
    assert sum(labels.pixels.values()) + labels.missing == 9 * 16 * 16
