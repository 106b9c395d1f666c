"""Means and deviations of a TerraTorch file, compared with those that the model was trained with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.core.statistics import BandStatistics
from engine.backbones.families import family_of

# The number that rasters store for 1 -> how that is said of reflectance or of colours.
_STORED = {1.0: ", 0 to 1", 100.0: " in per cent", 255.0: ", 0 to 255", 1e4: " x 10000"}
# A number this share off the model's own is another normalisation and not rounding.
_TOLERANCE = 0.05


@dataclass(frozen=True)
class Unit:
    """In which unit a file states its numbers.

    Attributes:
        scale: the number that a reflectance of 1, or 1 of another quantity, becomes in the file.
        words: what a person calls it.
    """

    scale: float
    words: str


@dataclass(frozen=True)
class Comparison:
    """What the comparison showed.

    Attributes:
        scale: the number that a reflectance of 1 (or 1 of what the bands hold) becomes in the file's unit.
        unit: the file's unit in words, the one in which its numbers are the model's own or else nearest to them.
        differences: one a band that differs: name, the file's mean and deviation, the model's in the file's unit.
    """

    scale: float
    unit: str
    differences: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    """A band's numbers in the file, and the model's own."""

    band: str
    mean: float
    std: float
    own: BandStatistics


def compare(
    spec: BackboneSpec,
    bands: Sequence[str],
    means: Sequence[float],
    stds: Sequence[float],
    settings: Mapping[str, str] | None = None,
) -> Comparison | None:
    """Compare band by band, in the file's unit.

    Args:
        spec: the card, resolved for the modalities that are used.
        bands: common names, in the order of the numbers.
        settings: settings of the card; those left out keep their defaults.

    Returns:
        None where the model has no numbers of its own for these bands.
    """
    own = family_of(spec).statistics(spec, settle(spec, settings or {}))
    rows = [
        _Row(band, mean, std, own[band])
        for band, mean, std in zip(bands, means, stds, strict=True)
        if band in own
    ]
    if not rows:
        return None
    found: dict[str, Unit] = {}
    for quantity in dict.fromkeys(row.own.quantity for row in rows):
        found[quantity] = _unit([row for row in rows if row.own.quantity == quantity])
    first = found.get("reflectance") or next(iter(found.values()))
    words = ", ".join(dict.fromkeys(unit.words for unit in found.values()))
    lines = (line for row in rows for line in _differences([row], found[row.own.quantity]))
    return Comparison(first.scale, words, tuple(lines))


def _unit(rows: Sequence[_Row]) -> Unit:
    """The unit in which most numbers are the model's own; among equals the nearest to the middle ratio."""
    middle = math.log(float(np.median([_ratio(row) for row in rows])))
    units = list(_units(rows[0].own))

    def cost(unit: Unit) -> tuple[int, bool, float]:
        is_of_colours = units.index(unit) >= len(_STORED)
        return len(list(_differences(rows, unit))), is_of_colours, abs(math.log(unit.scale) - middle)

    return min(units, key=cost)


def _units(own: BandStatistics) -> Iterable[Unit]:
    """The units that a band's numbers can be in: of what is measured, then of the colours that are made of it."""
    name = own.quantity
    for stored, words in _STORED.items():
        is_plain = stored == 1 and name != "reflectance"
        yield Unit(stored, name if is_plain else f"{name}{words}")
    for stored, words in _STORED.items() if own.white is not None else ():
        yield Unit(stored / (own.white or 1.0), f"true colour{words}")


def _differences(rows: Iterable[_Row], unit: Unit) -> Iterable[str]:
    for row in rows:
        mean, std = row.own.mean * unit.scale, row.own.std * unit.scale
        if not (_is_near(row.mean, mean, std) and _is_near(row.std, std, std)):
            yield f"{row.band} {row.mean:.4g} ± {row.std:.4g} against {mean:.4g} ± {std:.4g}"


def _is_near(found: float, own: float, std: float) -> bool:
    """Within the tolerance of the number, or of the deviation where the number is next to nothing beside it."""
    return abs(found - own) <= _TOLERANCE * max(abs(own), 0.01 * std)


def _ratio(row: _Row) -> float:
    """File over model: of the means, or of the deviations where a mean is not positive."""
    pairs = ((row.mean, row.own.mean), (row.std, row.own.std))
    return next((found / own for found, own in pairs if found > 0 and own > 0), 1.0)
