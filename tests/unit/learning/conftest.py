"""A small burnt landscape as chips in the layout of HLS Burn Scars: raw reflectances tell the scar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.jobs.configuration.config import TrainConfig, parse_config

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
SPLITS = {"train": (0, 1, 2, 3), "val": (4, 5), "test": (6, 7, 8)}
SIDE = 32
WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]


@pytest.fixture
def write_chips(tmp_path: Path) -> WriteChips:
    """Writes nine chips of 32 x 32 pixels: charred discs, and water that NBR alone takes for burnt."""

    def write(name: str = "chips", masks: bool = True, splits: bool = True, gap: bool = False) -> Path:
        folder = tmp_path / name
        for part in ("data", "splits"):
            (folder / part).mkdir(parents=True)
        for index in range(9):
            _write_chip(folder / "data", index, masks, gap)
        for split, members in SPLITS.items() if splits else ():
            text = "\n".join(f"chip{index}" for index in members)
            (folder / "splits" / f"{split}.txt").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def config_of() -> ConfigOf:
    """The training configuration of a folder of chips, on their raw patches, small enough for a test."""
    return _config_of


@pytest.fixture
def train_config(write_chips: WriteChips) -> TrainConfig:
    """The training configuration of the chips."""
    return _config_of(write_chips())


def _config_of(chips: Path, patch_px: int = 4, **changes: object) -> TrainConfig:
    config = parse_config({
        "kind": "train", "device": "cpu", "epochs": 12, "batch_patches": 64, "learning_rate": 0.01,
        "store": {
            "kind": "extract", "scene": {"source": "chips", "path": str(chips)}, "device": "cpu",
            "backbone": {"name": "raw", "settings": {"patch_px": str(patch_px)}}, "output": {"dtype": "float32"},
        },
        "head": {"name": "mlp", "hidden": [32]}, "baselines": ["nbr"], **changes,
    })  # fmt: skip
    assert isinstance(config, TrainConfig)
    return config


def _write_chip(folder: Path, index: int, masks: bool, gap: bool) -> None:
    chance = np.random.default_rng(index)
    row, column = np.mgrid[0:SIDE, 0:SIDE]
    centre = chance.integers(10, SIDE - 10, size=2)
    burned = np.hypot(row - centre[0], column - centre[1]) < 8
    water = (column < 4) & ~burned
    image = np.stack([np.full((SIDE, SIDE), value) for value in (0.03, 0.06, 0.04, 0.35, 0.2, 0.1)])
    image[:, burned] = np.array([0.04, 0.05, 0.06, 0.08, 0.2, 0.22])[:, None]
    image[:, water] = np.array([0.06, 0.05, 0.03, 0.015, 0.02, 0.05])[:, None]
    image = (image + chance.normal(0, 0.005, image.shape)).astype(np.float32)
    mask = burned.astype(np.int16)
    mask[-2:] = -1
    if gap:
        image[:, 8:12, 8:12] = -9999
    where = {"crs": "EPSG:32610", "transform": Affine(30, 0, 500000 + index * 5000, 0, -30, 4500000),
             "height": SIDE, "width": SIDE}  # fmt: skip
    with rasterio.open(
        folder / f"chip{index}_merged.tif", "w", driver="GTiff", count=6, dtype="float32", **where
    ) as out:
        out.write(image)
        out.descriptions = BANDS
    if masks:
        with rasterio.open(
            folder / f"chip{index}.mask.tif", "w", driver="GTiff", count=1, dtype="int16", **where
        ) as out:
            out.write(mask, 1)
