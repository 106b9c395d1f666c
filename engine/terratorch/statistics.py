"""Means and deviations of a TerraTorch file, held against those that the model was trained with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.backbones.core.spec import BackboneSpec

# Units in which rasters keep reflectance: the number that a reflectance of 1 becomes.
_UNITS = {1.0: "reflectance, 0 to 1", 100.0: "per cent", 255.0: "bytes, 0 to 255", 1e4: "reflectance x 10000"}
# A mean this share of a deviation off, or a deviation this share off, is another normalisation and not rounding.
_TOLERANCE = 0.05


@dataclass(frozen=True)
class Comparison:
    """What the comparison found.

    Attributes:
        scale: the number that a reflectance of 1 becomes in the file's unit.
        unit: the file's unit in words, guessed by the ratio to the model's own numbers.
        differences: one a band that differs: name, the file's mean and deviation, the model's in the file's unit.
    """

    scale: float
    unit: str
    differences: tuple[str, ...]


def compare(
    spec: BackboneSpec, bands: Sequence[str], means: Sequence[float], stds: Sequence[float]
) -> Comparison | None:
    """Compare band by band, in the file's unit.

    Args:
        bands: common names, in the order of the numbers.

    Returns:
        None where the model has no numbers of its own for these bands.
    """
    own = _own(spec)
    shared = [band for band in bands if band in own]
    if not shared:
        return None
    scale = _scale([_ratio(own[band], (mean, std))
                    for band, mean, std in zip(bands, means, stds, strict=True) if band in own])  # fmt: skip
    lines = []
    for band, mean, std in zip(bands, means, stds, strict=True):
        if band not in own:
            continue
        own_mean, own_std = (scale * value for value in own[band])
        if abs(mean - own_mean) > _TOLERANCE * own_std or abs(std - own_std) > _TOLERANCE * own_std:
            lines.append(f"{band} {mean:.4g} ± {std:.4g} against {own_mean:.4g} ± {own_std:.4g}")
    return Comparison(scale, _UNITS[scale], tuple(lines))


def _own(spec: BackboneSpec) -> dict[str, tuple[float, float]]:
    """Band -> the model's mean and deviation as reflectance."""
    seen = spec.normalisation
    if len(seen.mean) != len(spec.bands):
        return {}
    # Networks of photographs see reflectance divided by what counts as white.
    white = float(spec.settings["rgb_white"][0]) if "rgb_white" in spec.settings else 1.0
    return {band: (mean * white / seen.scale, std * white / seen.scale)
            for band, mean, std in zip(spec.bands, seen.mean, seen.std, strict=True)}  # fmt: skip


def _ratio(own: tuple[float, float], given: tuple[float, float]) -> float:
    """Given over own: of the means, or of the deviations where a mean is not positive."""
    place = 0 if own[0] > 0 and given[0] > 0 else 1
    return given[place] / own[place] if own[place] > 0 and given[place] > 0 else 1.0


def _scale(ratios: Sequence[float]) -> float:
    """The unit nearest to the middle ratio, by factors."""
    middle = math.log(float(np.median(ratios)))
    return min(_UNITS, key=lambda scale: abs(math.log(scale) - middle))
