"""Nothing is lost: a run killed again and again ends row for row like one that nobody disturbed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from affine import Affine

from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import parse_config
from engine.jobs.job import Job
from engine.store.check import check_store
from engine.store.manifest import read_manifest
from engine.store.store import EmbeddingStore
from tests.conftest import HLS_BANDS

PROJECT = Path(__file__).parents[3]
DRIVER = Path(__file__).with_name("killed_run.py")
KILLS = 20


def write_scene(path: Path) -> None:
    """192 x 192 pixels of six bands, with gaps, no two pixels alike."""
    pixels = np.random.default_rng(7).integers(100, 4000, (6, 192, 192)).astype(np.int16)
    pixels[:, 100:180, 100:180] = -9999
    profile = {"driver": "GTiff", "count": 6, "height": 192, "width": 192, "dtype": "int16", "nodata": -9999}
    grid = Affine(20, 0, 400_000, 0, -20, 4_100_000)
    with rasterio.open(path, "w", crs="EPSG:32618", transform=grid, **profile) as out:
        out.write(pixels)
        out.descriptions = HLS_BANDS
        out.update_tags(EMBERSCOPE_SENSOR="hls")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the driver tells of an undisturbed run, of twenty kills, and of two processes on one folder."""
    room = tmp_path_factory.mktemp("killed")
    write_scene(room / "scene.tif")
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(room / "scene.tif")}, "device": "cpu",
        "backbone": {"name": "raw"}, "tiles": {"size_px": 32}, "batch_size": 4,
    })  # fmt: skip
    whole = room / "whole"
    run_folder.create(whole, config)
    environment = {**os.environ, "EMBERSCOPE_HOME": str(room), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, str(DRIVER), str(whole), str(KILLS), "4"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr + (room / "killed_run.log").read_text()
    return {**json.loads(done.stdout), "whole": str(whole)}


def test_twenty_kills_at_random_moments_lose_and_double_nothing(killed: dict[str, Any]) -> None:
    whole = EmbeddingStore.open(Path(killed["whole"]))
    expected = [pq.read_table(part.path) for part in whole.parts]
    assert len(expected) > 10
    assert killed["kills"] == KILLS
    assert killed["torn"] >= 3  # kills fell into the writing of a part, too
    for folder in map(Path, killed["folders"]):
        store = EmbeddingStore.open(folder)
        assert [part.path.name for part in store.parts] == [part.path.name for part in whole.parts]
        for part, table in zip(store.parts, expected, strict=True):
            assert pq.read_table(part.path).equals(table)
        assert read_manifest(store.folder) == read_manifest(whole.folder)
        assert check_store(folder) == []


def test_every_killed_run_is_interrupted_until_it_is_resumed_and_then_finished(
    killed: dict[str, Any],
) -> None:
    assert set(killed["codes"]) == {0}
    assert {Job.open(Path(folder)).state for folder in killed["folders"]} == {"finished"}


def test_nothing_unfinished_is_left_beside_the_stores(killed: dict[str, Any]) -> None:
    for folder in map(Path, killed["folders"]):
        left = [
            path.name for path in folder.rglob("*") if "writing" in path.name or "unfinished" in path.name
        ]
        assert left == []


def test_a_second_process_on_the_same_folder_is_refused_and_the_first_goes_on(killed: dict[str, Any]) -> None:
    two = killed["two"]
    assert (two["first"], two["second"]) == (0, 2)
    log = (Path(killed["whole"]).parent / "killed_run.log").read_text()
    assert "is being worked on by another process" in log
    assert check_store(Path(two["folder"])) == []
