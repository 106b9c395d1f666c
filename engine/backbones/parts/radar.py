"""Radar backscatter between linear power and decibels."""

from __future__ import annotations

import torch

from engine.backbones.core.batch import Batch
from engine.backbones.core.spec import RADAR_BANDS


def in_radar_unit(
    image: torch.Tensor, bands: tuple[str, ...], batch: Batch, stated: str, unit: str
) -> torch.Tensor:
    """The image with its radar bands in one unit; other bands stay.

    Args:
        image: (..., C, H, W), of the batch.
        bands: common names of the C bands.
        batch: its `units` say in which unit a radar band is.
        stated: "linear" or "db", for radar bands whose unit the batch does not say.
        unit: to have, "linear" (power) or "db" (10 log10 of power; power of 0 or less counts as 1e-10).
    """
    indices = [
        index
        for index, band in enumerate(bands)
        if band in RADAR_BANDS and _unit(batch, band, stated) != unit
    ]
    if not indices:
        return image
    result, radar = image.clone(), image[..., indices, :, :]
    if unit == "db":
        result[..., indices, :, :] = 10 * torch.log10(torch.where(radar > 0, radar, 1e-10))
    else:
        result[..., indices, :, :] = 10 ** (radar / 10)
    return result


def _unit(batch: Batch, band: str, stated: str) -> str:
    words = batch.units[batch.bands.index(band)].lower() if batch.units else ""
    if "linear" in words:
        return "linear"
    return "db" if "decibel" in words or "db" in words.split() else stated
