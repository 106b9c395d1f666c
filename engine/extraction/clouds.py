"""Clouds and their shadows become gaps, where a configuration asks for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.backbones.cloud_mask import cloud_and_shadow
from engine.extraction.plan import Plan
from engine.imagery.chip import Chip, read_chip
from engine.imagery.rasters import OpenRasters
from engine.imagery.scene import Scene
from engine.imagery.sensor import HLS_BANDS
from engine.imagery.tiles.windows import PlannedTile


def without_clouds(chip: Chip, planned: PlannedTile, plan: Plan, rasters: OpenRasters | None = None) -> Chip:
    """The chip with clouded and shadowed pixels as gaps, on each date by itself.

    Bands that the mask needs and the backbone does not are read besides.

    Raises:
        SceneError: they cannot be read.
        WeightsError: the cloud mask is not installed.
    """
    bands, seen = plan.bands, chip
    if not set(HLS_BANDS) <= set(bands):
        bands = HLS_BANDS
        seen = read_chip(planned.scenes, planned.window, bands, planned.fills, rasters)
    image = seen.image[:, [bands.index(band) for band in HLS_BANDS]]  # (T, 6, H, W)
    clouded = [
        cloud_and_shadow(one, valid, "l1c" if _is_top_of_atmosphere(scene) else "l2a")
        for one, valid, scene in zip(image, seen.valid, planned.scenes, strict=True)
    ]
    return replace(chip, valid=chip.valid & ~np.stack(clouded))


def _is_top_of_atmosphere(scene: Scene) -> bool:
    return scene.sensor.level.startswith("top-of-atmosphere")
