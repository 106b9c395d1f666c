"""Whether backscatter of which nothing says so is in decibels or linear power: linear power is never negative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from engine.imagery.raster.sample import sample_of
from engine.imagery.scene import Asset
from engine.imagery.sensors.table import SENSORS

# Decibels of land and water are negative nearly everywhere; denoised linear power falls below zero here and there.
_DECIBELS_FROM = 0.05


def with_radar_unit(assets: Mapping[str, Asset], bands: Sequence[str]) -> tuple[dict[str, Asset], str]:
    """Assets whose radar bands have the sensor that their values show, and a note on it; "" where there are none.

    Args:
        bands: those of which nothing states the unit.

    Raises:
        SceneError: a file is damaged.
    """
    values = [sample_of(assets[band]).measured for band in bands]
    together = np.concatenate(values) if values else np.empty(0)
    if not together.size:
        return dict(assets), ""
    own = SENSORS["sentinel1_grd" if np.mean(together < 0) > _DECIBELS_FROM else "sentinel1_rtc"]
    note = (
        f"nothing states the unit of {', '.join(bands)}: values from {together.min():.4g} to {together.max():.4g} are read "
        f"as {own.unit} (scene.sensor, or a name such as vv_db, states it)"
    )
    return {band: replace(one, sensor=own) if band in bands else one for band, one in assets.items()}, note
