"""Bands by their centre wavelength."""

from __future__ import annotations

from collections.abc import Sequence

from engine.backbones.core.spec import BackboneSpec
from engine.errors import MissingBand


def optical_um(spec: BackboneSpec, band: str, wavelength_um: float | None) -> float:
    """The centre wavelength of a band that is read by it.

    Raises:
        MissingBand: the band has none.
    """
    if wavelength_um is None:
        raise MissingBand(
            f"The band {band} has no wavelength, by which {spec.name} reads optical bands. Leave the band out."
        )
    return wavelength_um


def nearest_band(wavelengths_um: Sequence[float], wavelength_um: float) -> int:
    """Index of the wavelength that is nearest to another one."""
    return min(range(len(wavelengths_um)), key=lambda index: abs(wavelengths_um[index] - wavelength_um))
