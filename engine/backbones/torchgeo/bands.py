"""What the numbers of a torchgeo weight's bands are, and as which reflectance or decibels they are read here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.errors import BackboneError

# dn: reflectance x 10000; colour: 8 bits, white at the card's `rgb_white`; landsat: 8 bits, as SSL4EO-L has them.
Unit = Literal["dn", "colour", "landsat", "decibels"]
_COLOUR_STEPS, _DN = 255.0, 1e4
# SSL4EO-L: reflectance of 0 to 0.3 became 0 to 256, clipped (torchgeo, experiments/ssl4eo/landsat/compress_oli_sr.sh and
# compress_dataset.py).
_LANDSAT_STEPS, _LANDSAT_WHITE = 256.0, 0.3
_SENTINEL_2 = {
    "B1": "coastal_aerosol", "B2": "blue", "B3": "green", "B4": "red", "B5": "red_edge_1", "B6": "red_edge_2",
    "B7": "red_edge_3", "B8": "nir_broad", "B8A": "nir_narrow", "B9": "water_vapor", "B10": "cirrus", "B11": "swir_1",
    "B12": "swir_2",
}  # fmt: skip
_OLI = {
    "SR_B1": "coastal_aerosol", "SR_B2": "blue", "SR_B3": "green", "SR_B4": "red", "SR_B5": "nir_narrow",
    "SR_B6": "swir_1", "SR_B7": "swir_2",
}  # fmt: skip
_ETM = {
    "SR_B1": "blue", "SR_B2": "green", "SR_B3": "red", "SR_B4": "nir_narrow", "SR_B5": "swir_1", "SR_B7": "swir_2",
}  # fmt: skip
# Beginning of a weight's name -> its band codes as common names.
_CODES: Mapping[str, Mapping[str, str]] = {
    "SENTINEL2": _SENTINEL_2, "SENTINEL1": {"VV": "vv", "VH": "vh"}, "LANDSAT_OLI_SR": _OLI, "LANDSAT_ETM_SR": _ETM,
    "LANDSAT": {}, "FMOW_RGB": {"R": "red", "G": "green", "B": "blue"}, "NAIP_RGB": {"R": "red", "G": "green", "B": "blue"},
}  # fmt: skip
_COLOURS = ("R", "G", "B")


@dataclass(frozen=True)
class Numbers:
    """A band as a weight was trained on it: (value - mean) / std of values in a unit."""

    name: str
    unit: Unit
    mean: float
    std: float

    def as_read(self, white: float) -> tuple[float, float]:
        """Mean and deviation of reflectance, or of decibels.

        Args:
            white: the reflectance that is 255 of a colour.
        """
        match self.unit:
            case "dn":
                factor = 1 / _DN
            case "colour":
                factor = white / _COLOUR_STEPS
            case "landsat":
                factor = _LANDSAT_WHITE / _LANDSAT_STEPS
            case _:
                factor = 1.0
        return self.mean * factor, self.std * factor


def numbers_of(
    weight: str, codes: Sequence[str], dataset: str, mean: Sequence[float], std: Sequence[float]
) -> tuple[Numbers, ...]:
    """The bands of a weight in its order.

    Args:
        weight: its name after the dot, such as SENTINEL2_ALL_MOCO.
        codes: band codes as its metadata have them; empty with colour pictures.
        dataset: what it was trained on.
        mean, std: of its transforms, one a band.

    Raises:
        BackboneError: bands or numbers that scenes here do not have, or that torchgeo does not state.
    """
    start = max((start for start in _CODES if weight.startswith(start)), key=len, default=None)
    if start is None:
        raise BackboneError(f"torchgeo does not say which bands {weight} reads. Choose another weight.")
    if dataset == "SeCo Dataset":
        raise BackboneError(
            f"{weight} was trained on the 8-bit numbers of the SeCo data set, whose scale torchgeo does not state. "
            f"Choose another weight, such as SENTINEL2_RGB_MOCO."
        )
    known = _CODES[start]
    names = [known.get(_plain(code), "") for code in codes or _COLOURS]
    if "" in names or len(names) != len(mean):
        unread = [code for code, name in zip(codes or _COLOURS, names, strict=True) if not name]
        raise BackboneError(
            f"{weight} reads {', '.join(unread) or f'{len(mean)} bands'}, which scenes here do not bring. "
            f"Choose another weight."
        )
    return tuple(
        Numbers(name, _unit(weight, start, m, s), m, s) for name, m, s in zip(names, mean, std, strict=True)
    )


def _unit(weight: str, start: str, mean: float, std: float) -> Unit:
    if start == "SENTINEL1":
        if mean >= 0:
            raise BackboneError(
                f"torchgeo does not say how {weight} wants its radar backscatter (its transforms subtract {mean:g} and divide "
                f"by {std:g}). Choose a weight with means of decibels, such as SENTINEL1_ALL_DECUR."
            )
        return "decibels"
    if start.startswith("LANDSAT"):
        return "landsat"
    return "colour" if start in ("FMOW_RGB", "NAIP_RGB") or std == _COLOUR_STEPS else "dn"


def _plain(code: str) -> str:
    """`B8a` and `B08` as `B8A` and `B8`."""
    return re.sub(r"(?<=B)0+", "", code.upper())
