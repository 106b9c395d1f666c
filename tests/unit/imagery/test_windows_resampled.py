"""A resampled pixel is the same in every window that holds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.extraction.pixels.tile_reader import read_tile
from engine.extraction.plan import make_plan
from engine.jobs.configuration.config import ExtractConfig, parse_config

WriteRaster = Callable[..., Path]


def canvas_of(path: Path, size_px: int, gsd_m: int, root: Path) -> np.ndarray:
    """(6, 512, 512) of all windows of a scene, NaN where there is no pixel, from the same corner of the ground."""
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"},
        "tiles": {"size_px": size_px, "gsd_m": gsd_m}, "device": "cpu",
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    plan = make_plan(config, root)
    corner = 400_000 // gsd_m * gsd_m, -(-4_100_000 // gsd_m) * gsd_m
    canvas = np.full((6, 512, 512), np.nan, np.float32)
    for item in plan.tiles:
        chip = read_tile(item, plan).chip
        if chip is None:
            continue
        column = round((item.window.transform.c - corner[0]) / gsd_m)
        row = round((corner[1] - item.window.transform.f) / gsd_m)
        for down, right in np.argwhere(chip.valid[0]):
            canvas[:, row + down, column + right] = chip.image[0, :, down, right]
    return canvas


@pytest.mark.parametrize("gsd_m", [12, 30, 47])
def test_a_pixel_does_not_depend_on_how_much_of_its_window_lies_on_the_raster(
    write_raster: WriteRaster, tmp_path: Path, gsd_m: int
) -> None:
    pixels = np.random.default_rng(0).integers(200, 4000, (6, 75, 66)).astype(np.int16)
    path = write_raster("scene.tif", pixels)
    small, large = (canvas_of(path, size_px, gsd_m, tmp_path) for size_px in (16, 256))
    assert np.array_equal(np.isnan(small), np.isnan(large))
    assert np.isfinite(small[0]).sum() > 500
    assert (
        np.nanmax(np.abs(small - large)) < 2e-3
    )  # of reflectances up to 0.4; another kernel changed them by 0.08
