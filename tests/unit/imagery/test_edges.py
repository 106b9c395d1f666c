"""A frame that was averaged with nothing is left out and told; edges of the ground stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.imagery.sources import FilesScene, StackScene
from engine.imagery.sources.raster_file import file_scene

SIDE = 60


def pixels(seed: int = 0) -> np.ndarray:
    """(6, SIDE, SIDE) smooth ground with some noise."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(1000, 1600, SIDE)[:, None] + np.linspace(0, 500, SIDE)
    return (slope * rng.uniform(0.97, 1.03, (6, SIDE, SIDE))).astype(np.int16)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_sides_that_were_averaged_with_nothing_are_left_out(
    write_raster: Callable[..., Path], share: float
) -> None:
    values = pixels()
    for band in (0, 2):
        values[band, 0] = values[band, 0] * share
        values[band, :, -1] = values[band, :, -1] * share
    scene = file_scene(write_raster("framed.tif", values))
    assert (scene.height, scene.width) == (SIDE - 1, SIDE - 1)
    assert scene.transform.c == 400_000 and scene.transform.f == 4_100_000 - 20
    assert any("northern and eastern side of blue, red" in note for note in scene.notes)


@pytest.mark.parametrize("kind", ["ground", "a lake", "a dark border three wide", "a gap", "noise"])
def test_ground_stays(write_raster: Callable[..., Path], kind: str) -> None:
    values, nodata = pixels(), None
    match kind:
        case "a lake":
            values[:, 0, : SIDE // 2] = 300
        case "a dark border three wide":  # what it is nobody knows
            values[:, :3] = values[:, :3] // 2
        case "a gap":
            values[:, 0], nodata = -9999, -9999
        case "noise":
            values = np.random.default_rng(1).integers(1, 4000, values.shape).astype(np.int16)
    scene = file_scene(write_raster("whole.tif", values, nodata=nodata))
    assert (scene.height, scene.width) == (SIDE, SIDE)
    assert not any("averaging" in note for note in scene.notes)


def test_a_series_leaves_out_what_the_same_files_leave_out_one_by_one(
    write_raster: Callable[..., Path], tmp_path: Path
) -> None:
    paths = []
    for day, share in (("2023-07-01", 1.0), ("2023-08-01", 0.5)):
        values = pixels()
        values[:, :, -1] = values[:, :, -1] * share
        paths.append(str(write_raster(f"field_{day}.tif", values)))
    alone = {scene.datetime: scene for scene in FilesScene(source="files", paths=tuple(paths)).find(tmp_path)}
    dates = StackScene(source="stack", paths=tuple(paths)).find(tmp_path)
    assert {(scene.height, scene.width) for scene in dates} == {(SIDE, SIDE - 1)}
    for scene in dates:
        assert alone[scene.datetime].width >= scene.width, "a line that was left out has come back"
    assert any("outermost line of pixels" in note for note in dates[0].notes)
