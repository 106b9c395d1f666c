"""As what each place of a season is delivered: the sensor that sees it, and the level of its reflectance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.imagery.sensors.sensor import Level

# Landsat 8's OLI = slope * Sentinel-2A's MSI + offset, band by band: NASA, HLS, "Bandpass adjustment" (hls.gsfc.nasa.gov).
_SLOPE = np.array([0.9778, 1.0053, 0.9765, 0.9983, 0.9987, 1.003])
_OFFSET = np.array([-0.004, -0.0009, 0.0009, -0.0001, -0.0011, -0.0012])


@dataclass(frozen=True)
class View:
    """One way in which a place is delivered.

    Attributes:
        product: what file names say.
        sensor: name in the table of sensors.
        is_msi: whether bands respond as Sentinel-2's do; HLS adjusts them to Landsat's.
        blur_px: standard deviation of the point spread, in pixels of 30 m; Sentinel-2 is averaged from 10 and 20 m.
        noise: relative to that of Landsat 8.
    """

    product: str
    sensor: str
    level: Level
    is_msi: bool
    blur_px: float
    noise: float


VIEWS = (
    View("HLS.L30", "hls", "surface", False, 0.55, 1.0),
    View("OLI.TOA", "landsat_c2l1", "top of atmosphere", False, 0.55, 1.0),
    View("HLS.S30", "hls", "surface", False, 0.42, 0.7),  # a mean of several pixels is less noisy
    View("MSI.TOA", "sentinel2_l1c", "top of atmosphere", True, 0.42, 0.7),
)


def view_of(index: int, kinds: int) -> View:
    """Ways of delivery take turns, so that each kind of country is seen in all of them."""
    return VIEWS[(index // kinds + index) % len(VIEWS)]


def as_sensed(light: np.ndarray, view: View) -> np.ndarray:
    """Reflectance (6, H, W) in the bands of Landsat 8 as the bands of a view respond to it."""
    if not view.is_msi:
        return light
    own: np.ndarray = (light - _OFFSET[:, None, None]) / _SLOPE[:, None, None]
    return own
