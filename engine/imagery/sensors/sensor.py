"""What a sensor is: its bands, how stored values become measured ones, and at which level they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Quantity = Literal["reflectance", "backscatter", "elevation", "class", "index", "brightness"]
Level = Literal["surface", "top of atmosphere"]
# Resampling by which values of a quantity may be brought onto another grid: classes have no mean.
_NEAREST: frozenset[Quantity] = frozenset({"class"})


@dataclass(frozen=True)
class Band:
    """One band of a sensor.

    Attributes:
        name: the common name, one for all sensors that see about the same.
        code: the band's number as its products write it, without leading zeros ("B4", "B8A"); "" where it has none.
        wavelength_um: centre wavelength; None where there is none (radar, height, classes).
        gsd_m: ground sampling distance of the product's file of this band.
    """

    name: str
    code: str
    wavelength_um: float | None
    gsd_m: float


@dataclass(frozen=True)
class Sensor:
    """One instrument (or product) at one processing level.

    Attributes:
        table: its bands, in the usual order of its products.
        scale, offset: measured value = digital number * scale + offset; floating-point products hold measured values.
        nodata: digital number that marks a gap; None where products carry a mask instead.
        quantity: what the values measure.
        level: of reflectance; None where it does not apply or differs from product to product.
        unit: of the measured values, in words.
        deliveries: how products come, in words for a table.
        other: codes of bands that products carry and nobody here reads, with what they are.
        dtypes: types of the digital numbers in products, such as "uint16"; empty where they differ.
    """

    name: str
    title: str
    table: tuple[Band, ...]
    gsd_m: float
    scale: float
    offset: float
    nodata: float | None
    quantity: Quantity = "reflectance"
    level: Level | None = None
    unit: str = "reflectance"
    deliveries: str = ""
    other: Mapping[str, str] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()

    @property
    def bands(self) -> tuple[str, ...]:
        """Common names, in the usual order of its products."""
        return tuple(band.name for band in self.table)

    @property
    def has_codes(self) -> bool:
        """Whether its products number their bands."""
        return any(band.code for band in self.table)

    @property
    def values(self) -> str:
        """What the values are, in words for a legend."""
        if self.quantity != "reflectance" or self.level is None:
            return self.unit
        return reflectance_words(self.level)

    @property
    def is_resampled_by_nearest(self) -> bool:
        """Whether its values have no mean."""
        return self.quantity in _NEAREST

    def band(self, name: str) -> Band:
        """The band of a common name."""
        return next(band for band in self.table if band.name == name)

    def name_of_code(self, code: str) -> str | None:
        """The common name of a code such as "B4"; None where the sensor has none."""
        return next((band.name for band in self.table if code and band.code == code), None)

    def wavelength_um(self, band: str) -> float | None:
        """Centre wavelength of a band by its common name."""
        return self.band(band).wavelength_um


def reflectance_words(level: Level | None) -> str:
    """Reflectance of a level, as a legend names it."""
    match level:
        case None:
            return "reflectance, level not stated"
        case "surface":
            return "surface reflectance"
        case "top of atmosphere":
            return "top-of-atmosphere reflectance"
