"""HLS Burn Scars as published: imported, embedded, learned from and judged; and what may be wrong with such a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.warp

from engine.errors import BadInput, SceneError
from engine.imagery.sources.chip_folder import chip_scenes
from engine.jobs.configuration.config import TrainConfig, parse_config
from engine.jobs.events import Noticed
from engine.learning.evaluate import evaluate
from engine.learning.keeping.result import TrainRun
from engine.learning.train import train
from engine.store.store import EmbeddingStore
from tests.burn_scars_layout import SIDE, SPLITS, STEMS, write_layout


def config_of(chips: Path, **changes: object) -> TrainConfig:
    config = parse_config({
        "kind": "train", "device": "cpu", "epochs": 8, "batch_patches": 64, "learning_rate": 0.01, "head": {"hidden": [32]},
        "store": {
            "kind": "extract", "scene": {"source": "chips", "path": str(chips)}, "device": "cpu",
            "backbone": {"name": "raw"}, "output": {"dtype": "float32"},
        },
        **changes,
    })  # fmt: skip
    assert isinstance(config, TrainConfig)
    return config


def told(config: TrainConfig, home: Path, name: str = "run") -> str:
    """What the training said, in one text."""
    return " ".join(one.message for one in train(config, home / name, home) if isinstance(one, Noticed))


def test_the_published_layout_is_read_embedded_learned_and_judged_by_its_own_splits(
    tmp_path: Path, home: Path
) -> None:
    chips = write_layout(tmp_path / "hls_burn_scars")
    said = told(config_of(chips), home)
    run = TrainRun.open(home / "run")
    assert "nearest neighbour" in said
    assert "UTM Zone 10" in said
    store = EmbeddingStore.open(run.store_folder)
    assert {tile.id: tile.split for tile in store.tiles} == {
        stem: name for name, own in SPLITS.items() for stem in own
    }
    assert {name: sorted(ids) for name, ids in run.decoder.split.items()} == {
        "train": list(SPLITS["train"]), "validation": list(SPLITS["val"]), "test": list(SPLITS["test"]),
    }  # fmt: skip
    assert run.scores["pixels"] == len(SPLITS["test"]) * SIDE * (SIDE - 2)  # -1 counts nowhere
    assert run.scores["iou_burned"] > 0.7
    assert evaluate(home / "run")["iou_burned"] == pytest.approx(run.scores["iou_burned"])


def test_masks_in_quite_another_crs_are_brought_to_the_pixels_and_that_is_said(
    tmp_path: Path, home: Path
) -> None:
    chips = write_layout(tmp_path / "chips")
    for stem in STEMS:
        reproject_mask(chips / "data" / f"{stem}.mask.tif", "EPSG:5070")
    said = told(config_of(chips), home)
    assert "NAD83 / Conus Albers" in said
    assert TrainRun.open(home / "run").scores["iou_burned"] > 0.6


def reproject_mask(path: Path, crs: str) -> None:
    """The same mask on a grid of 15 m in another CRS, -1 beyond it."""
    with rasterio.open(path) as source:
        values, grid, own = source.read(1), source.transform, source.crs
        bounds = rasterio.warp.transform_bounds(own, crs, *source.bounds)
    side = 15.0
    width, height = (
        int((high - low) / side) + 2 for low, high in ((bounds[0], bounds[2]), (bounds[1], bounds[3]))
    )
    there = rasterio.Affine(side, 0, bounds[0], 0, -side, bounds[3])
    made = np.full((height, width), -1, np.int16)
    rasterio.warp.reproject(
        values,
        made,
        src_transform=grid,
        src_crs=own,
        dst_transform=there,
        dst_crs=crs,
        src_nodata=-1,
        dst_nodata=-1,
    )
    with rasterio.open(path, "w", driver="GTiff", count=1, dtype="int16", height=height, width=width, crs=crs,
                       transform=there) as out:  # fmt: skip
        out.write(made, 1)


def test_a_split_file_of_chips_that_are_not_here_is_refused_and_one_with_some_is_told_of(
    tmp_path: Path,
) -> None:
    chips = write_layout(tmp_path / "chips")
    elsewhere = [stem.replace("T10SDH", "T11ABC") for stem in SPLITS["test"]]
    (chips / "splits" / "test.txt").write_text("\n".join([*SPLITS["test"], elsewhere[0]]))
    assert "T11ABC" in " ".join(chip_scenes(chips)[0].notes)
    (chips / "splits" / "test.txt").write_text("\n".join(elsewhere))
    with pytest.raises(SceneError, match=r"test\.txt names 3 chips, and the folder holds none of them"):
        chip_scenes(chips)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("one class", "no pixel of the class burnt"),
        ("nothing known", "no labelled pixel"),
        ("elsewhere", "no labelled pixel|covers none"),
    ],
)
def test_labels_that_teach_nothing_are_refused_in_words(
    wrong: str, said: str, tmp_path: Path, home: Path
) -> None:
    chips = write_layout(tmp_path / "chips")
    for stem in STEMS:
        with rasterio.open(chips / "data" / f"{stem}.mask.tif", "r+") as mask:
            values = mask.read(1)
            if wrong == "elsewhere":
                mask.transform = mask.transform @ rasterio.Affine.translation(9_000, 0)
            else:
                mask.write(np.where(values < 0, -1, 0 if wrong == "one class" else -1).astype(np.int16), 1)
    with pytest.raises(BadInput, match=said):
        told(config_of(chips), home)
    assert not (home / "run" / "decoder.json").exists()
