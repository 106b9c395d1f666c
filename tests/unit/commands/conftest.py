"""One small extraction and one training on it, which commands are called on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine

from engine.__main__ import main

GRID = Affine(20, 0, 400_000, 0, -20, 4_100_000)
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")


@dataclass(frozen=True)
class Workplace:
    """Files that commands are called on.

    Attributes:
        folder: of all of them; `home` in it is where runs are kept.
        extract, train: configurations; run, trained: their finished run folders.
        other: the run folder of the same extraction once more.
    """

    folder: Path
    extract: Path
    train: Path
    run: Path
    trained: Path
    other: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("commands")
    made = Workplace(
        folder,
        folder / "extract.yaml",
        folder / "train.yaml",
        folder / "run",
        folder / "trained",
        folder / "other",
    )
    _write_scene(folder)
    extraction = {
        "kind": "extract", "scene": {"source": "file", "path": str(folder / "scene.tif")}, "device": "cpu",
        "backbone": {"name": "raw", "settings": {"patch_px": "4"}}, "tiles": {"size_px": 32},
        "output": {"dtype": "float32"},
    }  # fmt: skip
    training = {
        "kind": "train", "store": extraction, "head": {"name": "linear"}, "epochs": 2, "device": "cpu",
        "labels": {"source": "raster", "path": str(folder / "labels.tif")}, "split": {"by": "place"},
    }  # fmt: skip
    made.extract.write_text(yaml.safe_dump(extraction))
    made.train.write_text(yaml.safe_dump(training))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBERSCOPE_HOME", str(made.home))
        assert main(["extract", str(made.extract), "--out", str(made.run)]) == 0
        assert (
            main(["extract", str(made.extract), "--out", str(made.other), "--set", "tiles.overlap_px=8"]) == 0
        )
        assert main(["train", str(made.train), "--out", str(made.trained)]) == 0
    return made


@pytest.fixture
def at_home(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """The workplace, with its runs' folder in the environment."""
    monkeypatch.setenv("EMBERSCOPE_HOME", str(workplace.home))
    assert os.environ["EMBERSCOPE_HOME"]
    return workplace


def _write_scene(folder: Path) -> None:
    rng = np.random.default_rng(0)
    burnt = np.zeros((192, 192), np.uint8)
    burnt[:, 60:130] = 1
    pixels = rng.integers(100, 4000, (6, 192, 192)).astype(np.int16)
    pixels[3] = np.where(burnt, 600, 3000) + rng.integers(0, 200, burnt.shape)
    pixels[5] = np.where(burnt, 3000, 600) + rng.integers(0, 200, burnt.shape)
    for name, values in (("scene.tif", pixels), ("labels.tif", burnt[None])):
        with rasterio.open(folder / name, "w", driver="GTiff", count=len(values), width=192, height=192,
                           dtype=values.dtype, crs="EPSG:32618", transform=GRID) as out:  # fmt: skip
            out.write(values)
            if name == "scene.tif":
                out.descriptions = BANDS
                out.update_tags(EMBERSCOPE_SENSOR="hls")
