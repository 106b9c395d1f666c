"""The estimate before a run is held against what the run then leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.errors import BackboneError
from engine.extraction import extract as job
from engine.extraction.cost.estimate import estimate
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.record import recorded
from engine.store.store import EmbeddingStore

WriteRaster = Callable[..., Path]


@pytest.fixture
def config(write_raster: WriteRaster) -> ExtractConfig:
    pixels = np.random.default_rng(7).integers(100, 4000, (6, 256, 256)).astype(np.int16)
    path = write_raster("scene.tif", pixels)
    tree = {"kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"},
            "tiles": {"size_px": 128}, "device": "cpu"}  # fmt: skip
    parsed = parse_config(tree)
    assert isinstance(parsed, ExtractConfig)
    return parsed


def finish_a_run(config: ExtractConfig, home: Path) -> EmbeddingStore:
    folder = home / "earlier"
    run_folder.create(folder, config)
    list(recorded(folder, job.extract(config, folder, home)))
    return EmbeddingStore.open(folder)


def test_tiles_patches_ground_and_bytes_are_what_the_run_leaves(config: ExtractConfig, home: Path) -> None:
    found = estimate(config, home)
    store = finish_a_run(config, home)
    assert found.tiles == len(store.tiles)
    assert found.patches == store.rows
    ground = sum(tile.height_px * tile.width_px * tile.transform[0] ** 2 for tile in store.tiles) / 1e6
    assert found.area_km2 == pytest.approx(ground)
    assert found.megabytes * 1e6 == pytest.approx(store.bytes_on_disk, rel=0.3)


def test_minutes_are_a_rough_guess_until_a_run_has_measured_them(config: ExtractConfig, home: Path) -> None:
    before = estimate(config, home)
    assert before.minutes_source == "rough guess"
    assert before.minutes is not None
    assert before.minutes > 0
    finish_a_run(config, home)
    assert estimate(config, home).minutes_source == "measured on this machine"


def test_a_run_of_another_backbone_or_device_measures_nothing(config: ExtractConfig, home: Path) -> None:
    finish_a_run(config, home)
    other = parse_config(config.model_dump(mode="json") | {"backbone": {"name": "csmask_b4_l1c"}})
    assert isinstance(other, ExtractConfig)
    assert estimate(other, home).minutes_source == "rough guess"
    on_gpu = estimate(config.model_copy(update={"device": "cuda"}), home)
    assert (on_gpu.minutes, on_gpu.minutes_source) == (None, "unknown")


def test_one_row_a_tile_takes_less_room(config: ExtractConfig, home: Path) -> None:
    whole = parse_config(config.model_dump(mode="json") | {"granularity": "tile", "pooling": "mean"})
    assert isinstance(whole, ExtractConfig)
    assert estimate(whole, home).megabytes < estimate(config, home).megabytes / 10


def test_what_cannot_run_is_refused_as_the_run_would(config: ExtractConfig, home: Path) -> None:
    wrong = config.model_copy(update={"backbone": config.backbone.model_copy(update={"name": "rawr"})})
    with pytest.raises(BackboneError, match="raw"):
        estimate(wrong, home)
