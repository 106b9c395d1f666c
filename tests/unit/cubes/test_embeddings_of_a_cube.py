"""A cube's embeddings are those of its GeoTIFFs, and a series reaches an encoder's frames with its times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.extraction.encode import batch_of
from engine.extraction.extract import extract
from engine.extraction.pixels.tile_reader import read_tile
from engine.extraction.plan import make_plan
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.store import EmbeddingStore
from tests.unit.cubes.made import DAYS, write_cube, write_geotiff

PRITHVI = {"name": "prithvi_eo_v2_tiny_tl", "weights": "random"}


def config_of(scene: dict[str, Any], backbone: dict[str, Any]) -> ExtractConfig:
    config = parse_config({
        "kind": "extract", "scene": scene, "tiles": {"size_px": 64}, "backbone": backbone, "output": {"dtype": "float32"},
        "device": "cpu",
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    return config


def embedded(config: ExtractConfig, folder: Path) -> np.ndarray:
    list(extract(config, folder, folder.parent))
    return EmbeddingStore.open(folder).read()


def test_one_date_through_netcdf_and_geotiff_gives_the_same_embeddings(tmp_path: Path) -> None:
    cube = {"source": "netcdf", "path": str(write_cube(tmp_path / "cube.nc")), "dates": [DAYS[1], DAYS[1]]}
    flat = {"source": "file", "path": str(write_geotiff(tmp_path / "flat.tif", 1))}
    ours, want = (embedded(config_of(one, PRITHVI), tmp_path / one["source"]) for one in (cube, flat))
    assert ours.shape == want.shape
    assert np.abs(ours - want).max() < 1e-3


def test_three_dates_reach_prithvis_frames_with_their_times(tmp_path: Path) -> None:
    cube = {"source": "netcdf", "path": str(write_cube(tmp_path / "cube.nc", "band"))}
    config = config_of(cube, PRITHVI)
    plan = make_plan(config, tmp_path)
    assert plan.frames == 3
    batch = batch_of([read_tile(plan.windows[0], plan)], plan)
    assert batch is not None
    assert batch.image.shape[:2] == (1, 3)
    assert [f"{when:%Y-%m-%d}" for when in batch.datetimes[0] if when] == list(DAYS)
    rows = embedded(config, tmp_path / "run")
    assert rows.shape[1] == 3 * plan.spec.dim
    assert np.isfinite(rows).all()


def test_a_series_is_joined_as_asked_for_an_encoder_of_single_images(tmp_path: Path) -> None:
    cube = {"source": "netcdf", "path": str(write_cube(tmp_path / "cube.nc"))}
    backbone = {"name": "raw", "temporal": "concatenate"}
    rows = embedded(config_of(cube, backbone), tmp_path / "series")
    first = {**cube, "dates": [DAYS[0], DAYS[0]]}
    alone = embedded(config_of(first, backbone), tmp_path / "first")
    assert rows.shape == (len(alone), 3 * alone.shape[1])
    assert np.allclose(rows[:, : alone.shape[1]], alone, atol=1e-6)
