"""The loop asks a task for everything it needs: a task of numbers fits in as well as classes do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.jobs.configuration.config import LossConfig, TrainConfig, parse_config
from engine.jobs.events import EpochDone
from engine.learning.dataset import Span, TrainingData
from engine.learning.heads.sizes import Level, Shape
from engine.learning.heads.table import build_decoder
from engine.learning.loop.epochs import learn
from engine.learning.tasks.task import Task
from engine.store.schema import StoredTile


@dataclass(frozen=True)
class TreeHeight:
    """A number for every pixel, in metres; NaN is missing."""

    name = "tree_height"
    classes = ()
    unit = "m"
    watch = "r2"
    is_per_tile = True  # without a film

    def outputs(self, patch_px: int) -> int:
        return patch_px**2

    def is_known(self, labels: torch.Tensor) -> torch.Tensor:
        return ~labels.isnan()

    def loss(self, outputs: torch.Tensor, labels: torch.Tensor, config: LossConfig) -> torch.Tensor:
        del config
        known = self.is_known(labels)
        return (outputs[known] - labels[known]).square().mean()

    def counts(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        known = self.is_known(labels)
        truth, predicted = labels[known].double(), outputs.detach()[known].double()
        number = torch.tensor(float(len(truth)), dtype=torch.float64)
        return torch.stack([number, truth.sum(), truth.square().sum(), (predicted - truth).square().sum()])

    def metrics(self, counts: np.ndarray) -> dict[str, float]:
        number, total, squares, errors = counts
        return {"r2": 1 - errors / (squares - total**2 / number), "rmse": float(np.sqrt(errors / number))}

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the loop does not need {name}")


SHAPE = Shape((Level(5),), 2, 1, "identity")


def data(chance: torch.Generator) -> TrainingData:
    """Twelve tiles of 4 x 4 patches of 2 x 2 pixels whose heights are a linear function of the embeddings."""
    features = torch.randn(192, 5, generator=chance)
    heights = features @ torch.randn(5, 4, generator=chance) + 3
    heights[::7, 1] = torch.nan
    tile = StoredTile("t", "EPSG:32610", (30.0, 0, 0, 0, -30.0, 0), 4, 4, 8, 8, (None,), ("s",), None)
    spans = [Span(tile, 16 * index) for index in range(12)]
    split = {"train": tuple(spans[:8]), "validation": tuple(spans[8:10]), "test": tuple(spans[10:])}
    known = ~heights.isnan()
    return TrainingData(
        features,
        heights,
        known.any(dim=1),
        dict.fromkeys(split, 0),
        torch.zeros(5),
        torch.ones(5),
        split,
        SHAPE,
        np.ones(192, bool),
    )


@pytest.mark.parametrize("head", ["linear", "conv"])
def test_numbers_are_learned_by_the_same_loop(head: str, tmp_path: Path) -> None:
    config = parse_config({
        "kind": "train", "store": "x", "epochs": 60, "batch_patches": 32, "learning_rate": 0.05, "patience": 60,
        "head": {"name": head, "hidden": [32], "dropout": 0},
    })  # fmt: skip
    assert isinstance(config, TrainConfig)
    chance = torch.Generator().manual_seed(0)
    task: Task = TreeHeight()  # type: ignore[assignment]
    zeros = torch.zeros(5)
    decoder = build_decoder(config.head, SHAPE, (zeros, zeros + 1), chance, torch.device("cpu"))
    epochs = [
        e for e in learn(config, task, data(chance), decoder, chance, tmp_path) if isinstance(e, EpochDone)
    ]
    best = max(epochs, key=lambda epoch: epoch.validation["r2"])
    assert best.watch == "r2"
    assert best.validation["r2"] > (0.99 if head == "linear" else 0.5)
    assert {"loss", "r2", "rmse"} == set(best.train)
