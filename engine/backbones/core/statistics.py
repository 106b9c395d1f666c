"""Means and deviations that an encoder was trained with, band by band, in units that a scene's values can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.backbones.core.spec import BackboneSpec

Quantity = Literal["reflectance", "decibels", "linear power", "metres", "index"]


@dataclass(frozen=True)
class BandStatistics:
    """What an encoder expects of one band.

    Attributes:
        mean, std: as reflectance of 0 to 1, or in the unit of the quantity.
        white: the reflectance that becomes 1 of the colours the encoder was trained on; None where it was trained on
            reflectance itself, or on another quantity.
    """

    mean: float
    std: float
    quantity: Quantity = "reflectance"
    white: float | None = None


def card_statistics(spec: BackboneSpec, settings: Mapping[str, str]) -> dict[str, BandStatistics]:
    """The numbers of a settled card by band; none where it states none.

    Args:
        settings: every setting of the card; `rgb_white` says which reflectance is white, where a card has it.
    """
    seen = spec.normalisation
    if len(seen.mean) != len(spec.bands):
        return {}
    white = float(settings["rgb_white"]) if "rgb_white" in settings else None
    factor = (white or 1.0) / seen.scale
    return {
        band: BandStatistics(mean * factor, std * factor, white=white)
        for band, mean, std in zip(spec.bands, seen.mean, seen.std, strict=True)
    }
