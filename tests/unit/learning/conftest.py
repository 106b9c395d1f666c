"""A small burnt landscape as chips in the layout of HLS Burn Scars: raw reflectances tell the scar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.jobs.configuration.config import TrainConfig, parse_config
from tests.unit.learning import chips

WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]


@pytest.fixture
def write_chips(tmp_path: Path) -> WriteChips:
    """Writes nine chips of 32 x 32 pixels: charred discs, and water that NBR alone takes for burnt."""

    def write(name: str = "chips", masks: bool = True, splits: bool = True, gap: bool = False) -> Path:
        return chips.write_chips(tmp_path / name, masks, splits, gap)

    return write


@pytest.fixture
def config_of() -> ConfigOf:
    """The training configuration of a folder of chips, on their raw patches, small enough for a test."""
    return train_config_of


@pytest.fixture
def train_config(write_chips: WriteChips) -> TrainConfig:
    """The training configuration of the chips."""
    return train_config_of(write_chips())


def train_config_of(folder: Path, patch_px: int = 4, **changes: object) -> TrainConfig:
    """The training configuration of a folder of chips."""
    config = parse_config({
        "kind": "train", "device": "cpu", "epochs": 12, "batch_patches": 64, "learning_rate": 0.01,
        "store": {
            "kind": "extract", "scene": {"source": "chips", "path": str(folder)}, "device": "cpu",
            "backbone": {"name": "raw", "settings": {"patch_px": str(patch_px)}}, "output": {"dtype": "float32"},
        },
        "head": {"name": "mlp", "hidden": [32]}, "baselines": ["nbr"], **changes,
    })  # fmt: skip
    assert isinstance(config, TrainConfig)
    return config
