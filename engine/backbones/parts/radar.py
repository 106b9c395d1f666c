"""Radar backscatter between linear power and decibels."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.backbones.core.spec import RADAR_BANDS
from engine.errors import BackboneError


def radar_unit(image: torch.Tensor, bands: Sequence[str], found: str, wanted: str) -> torch.Tensor:
    """The image with its radar bands in the wanted unit; other bands stay.

    Args:
        image: (..., C, H, W).
        found, wanted: "linear" (power) or "db" (10 log10 of power; power of 0 or less counts as 1e-10).

    Raises:
        BackboneError: a unit that is neither.
    """
    if {found, wanted} - {"linear", "db"}:
        raise BackboneError(
            f"radar values were wanted as linear or db; found {found!r} and {wanted!r}. Choose one."
        )
    places = [i for i, band in enumerate(bands) if band in RADAR_BANDS]
    if found == wanted or not places:
        return image
    result = image.clone()
    radar = image[..., places, :, :]
    if wanted == "db":
        result[..., places, :, :] = 10 * torch.log10(torch.where(radar > 0, radar, 1e-10))
    else:
        result[..., places, :, :] = 10 ** (radar / 10)
    return result
