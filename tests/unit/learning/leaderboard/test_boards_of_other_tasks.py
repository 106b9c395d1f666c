"""Leaderboards of numbers and of classes of tiles: their rows, few-label curves, matrices and files, as those of burn scars."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from engine.extraction.extract import ensure_store, store_folder
from engine.jobs.configuration.config import ExtractConfig
from engine.learning.leaderboard.report.files import read_summary
from engine.learning.leaderboard.report.words import metric_words
from tests.unit.learning import chips
from tests.unit.learning.leaderboard.conftest import RunBoard, extraction
from tests.unit.learning.test_apply_other_tasks import mostly_of_one_kind
from tests.unit.learning.test_other_tasks import with_labels

CLASSES = [{"value": 0, "name": "meadow"}, {"value": 1, "name": "charred"}]
TILES = {"name": "tile_classification", "classes": CLASSES, "least_share": 0.2}


def store_of(folder: Path, home: Path, task: str) -> str:
    """A store of labelled chips, with the rows that a task needs."""
    with_labels(folder, "height", lambda image: 40 * image[3], dtype="float32")
    with_labels(folder, "kinds", mostly_of_one_kind, dtype="int16")
    config = extraction(folder, 4)
    if task == "tile_classification":
        config = ExtractConfig.model_validate(
            config.model_dump() | {"granularity": "tile", "pooling": "mean"}
        )
    for _ in ensure_store(config, home):
        pass
    return str(store_folder(config, home))


@pytest.mark.parametrize(
    ("task", "labels", "metric"),
    [
        ({"name": "regression", "quantity": "height", "unit": "m"}, "height", "r2"),
        (TILES, "kinds", "f1_charred"),
        (TILES | {"several": True}, "kinds", "mean_f1"),
    ],
)
def test_a_board_of_another_task_has_rows_curves_matrices_and_files(
    task: dict[str, Any], labels: str, metric: str, run_board: RunBoard, tmp_path: Path
) -> None:
    stores = [
        store_of(chips.write_chips(tmp_path / name, east_m=east_m), tmp_path, task["name"])
        for name, east_m in (("own", 500_000), ("elsewhere", 400_000))
    ]
    board, _ = run_board(
        stores=stores[:1], heads=["linear", {"name": "knn", "neighbours": 1}], seeds=[0],
        label_shares=[1.0], travel="store", travel_stores=stores[1:],
        training={"task": task, "labels": {"name": labels}, "epochs": 2, "learning_rate": 0.02},
    )  # fmt: skip
    summary = read_summary(board)
    assert summary["metric"] == metric
    assert {row["head"] for row in summary["rows"]} == {"linear", "knn"}
    assert all(row[f"{metric}_mean"] is not None for row in summary["rows"])
    assert summary["baselines"] == []
    (judged,) = {row["pixels"] for row in summary["rows"]}  # of the three test chips
    assert judged == (3 if task["name"] == "tile_classification" else 3 * 32 * 32)
    assert not any("labelled pixels are not" in note for note in summary["notes"])
    words = {"r2": "R²", "f1_charred": "F1, charred", "mean_f1": "Mean F1"}[metric]
    assert metric_words(summary) == words
    assert summary["curves"]
    assert summary["travel"]
    json.dumps(summary, allow_nan=False)
    rows = list(csv.DictReader((board / "leaderboard.csv").read_text().splitlines()))
    assert [row["head"] for row in rows] == [row["head"] for row in summary["rows"]]
    assert (board / "leaderboard.svg").read_text().startswith("<svg")
    assert "meadow" not in (board / "geo_bench_2.csv").read_text()
