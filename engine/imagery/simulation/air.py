"""Sunlight through a clear or hazy atmosphere, in the six bands: from the ground to the satellite, and back as products do.

A plane-parallel atmosphere over a uniform ground seen from the nadir: rho = T_gas (path + T_down T_up ground / (1 - S ground)),
the form of the 6S code (Vermote et al. 1997, IEEE TGRS 35, 675-686), with path reflectance by single scattering.
"""

from __future__ import annotations

import numpy as np

# Centres of the bands in micrometres: Landsat 8's OLI (USGS, Landsat 8 Data Users Handbook).
WAVELENGTHS_UM = np.array([0.482, 0.561, 0.655, 0.865, 1.609, 2.201])
# Absorption by gases for one vertical pass: ozone of 300 Dobson units in green and red; water vapour of about 2 cm, carbon
# dioxide and methane in the infrared. Approximate, our own judgement; not computed with 6S.
GAS_DEPTH = np.array([0.006, 0.029, 0.017, 0.004, 0.012, 0.035])
# Of aerosol: share of the extinction that is scattering, asymmetry of the scattering (Henyey & Greenstein 1941), and share
# scattered forwards. Between the continental and the smoke models of 6S.
ALBEDO, ASYMMETRY, FORWARDS = 0.92, 0.65, 0.84


def molecules() -> np.ndarray:
    """(6,) optical depth of the molecules at sea level (Hansen & Travis 1974, Space Sci. Rev. 16, 527-610)."""
    inverse = WAVELENGTHS_UM**-2
    depth: np.ndarray = 0.008569 * inverse**2 * (1 + 0.0113 * inverse + 0.00013 * inverse**2)
    return depth


def aerosol(depth_550: np.ndarray | float, exponent: float) -> np.ndarray:
    """Optical depth of aerosol in each band, (6, H, W) or (6, 1, 1), by Angstrom's law from that at 0.55 micrometres."""
    colour = (WAVELENGTHS_UM / 0.55) ** -exponent
    return np.asarray(depth_550, dtype=np.float32) * colour[:, None, None].astype(np.float32)


def path_reflectance(haze: np.ndarray, sun_zenith_rad: float) -> np.ndarray:
    """Light that never saw the ground, seen from the nadir, (6, H, W).

    Args:
        haze: optical depth of aerosol, (6, H, W).
    """
    cosine = np.cos(sun_zenith_rad)
    rayleigh = 0.75 * (1 + cosine**2)  # phase function; the scattering angle is 180 degrees less the zenith
    forward = (1 - ASYMMETRY**2) / (1 + ASYMMETRY**2 + 2 * ASYMMETRY * cosine) ** 1.5
    once = molecules()[:, None, None] * rayleigh + ALBEDO * haze * forward
    # Light scattered again adds to single scattering, in proportion to the optical depth where it is small; the factor is our
    # own judgement, not computed with 6S.
    again = 1 + 0.6 * (molecules()[:, None, None] + haze)
    seen: np.ndarray = once / (4 * cosine) * again
    return seen


def to_top(ground: np.ndarray, haze: np.ndarray, sun_zenith_rad: float) -> np.ndarray:
    """Top-of-atmosphere reflectance of ground (6, H, W) under haze (6, H, W)."""
    gas, down_and_up, back = _factors(haze, sun_zenith_rad)
    seen: np.ndarray = gas * (
        path_reflectance(haze, sun_zenith_rad) + down_and_up * ground / (1 - back * ground)
    )
    return seen


def to_surface(seen: np.ndarray, haze: np.ndarray, sun_zenith_rad: float) -> np.ndarray:
    """Surface reflectance as a correction for some haze (6, 1, 1) gives it: `to_top` the other way round."""
    gas, down_and_up, back = _factors(haze, sun_zenith_rad)
    bare = (seen / gas - path_reflectance(haze, sun_zenith_rad)) / down_and_up
    ground: np.ndarray = bare / (1 + back * bare)
    return ground


def _factors(haze: np.ndarray, sun_zenith_rad: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Transmittance of gases, that of scattering down and up, and reflectance of the sky for light from below."""
    passes = 1 / np.cos(sun_zenith_rad) + 1
    air = molecules()[:, None, None]
    gas = np.exp(-GAS_DEPTH[:, None, None] * passes)
    lost = 0.52 * air + (1 - ALBEDO * FORWARDS) * haze  # half of what molecules scatter goes on downwards
    back = (0.92 * air + 0.33 * haze) * np.exp(-air - haze)
    return gas, np.exp(-lost * passes), back
