"""Random fields with the roughness of natural surfaces, by spectral synthesis (Voss 1985)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft

MARGIN = 1.25  # fields are made on a larger square, since a Fourier field repeats at its edges


@lru_cache(maxsize=8)
def _frequencies(size: int, stretch: float, angle_rad: float) -> np.ndarray:
    """Squared frequencies in cycles per pixel of a real transform over a square, stretched along an angle."""
    down, right = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    along = np.cos(angle_rad) * right - np.sin(angle_rad) * down
    across = np.sin(angle_rad) * right + np.cos(angle_rad) * down
    squared: np.ndarray = ((along * stretch**0.5) ** 2 + (across / stretch**0.5) ** 2).astype(np.float32)
    return squared


def random_field(
    rng: np.random.Generator,
    size: int,
    wavelength_px: float,
    roughness: float = 2.0,
    stretch: float = 1.0,
    angle_rad: float = 0.0,
) -> np.ndarray:
    """A Gaussian field with features up to a wavelength, and finer ones by a power law.

    Args:
        wavelength_px: the largest features; white below that frequency.
        roughness: exponent of the amplitude spectrum; 1 is rough, 3 is smooth.
        stretch: how much longer features are along `angle_rad` (counter-clockwise from east) than across.

    Returns:
        (size, size) float32, mean 0 and standard deviation 1.
    """
    large = fft.next_fast_len(int(size * MARGIN), real=True)
    squared = _frequencies(large, stretch, angle_rad)
    amplitude = np.exp(np.float32(-roughness / 2) * np.log(squared + np.float32(wavelength_px**-2.0)))
    white = rng.standard_normal((large, large), dtype=np.float32)
    field: np.ndarray = fft.irfft2(fft.rfft2(white) * amplitude, s=(large, large))[:size, :size]
    return (field - field.mean()) / field.std()


def highest(field: np.ndarray, share: float) -> np.ndarray:
    """Bool, True over the highest share (0 to 1) of the area."""
    above: np.ndarray = field > np.quantile(field, 1.0 - share)
    return above


def smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, a cubic in between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
