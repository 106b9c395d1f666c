"""Hills with valleys and ridges, and how the sun lights them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from engine.imagery.simulation.noise import random_field, warp

# Share of diffuse light in each band of HLS under a clear sky: approximate, falling with wavelength as Rayleigh
# and aerosol scattering do.
DIFFUSE_SHARE = np.array([0.26, 0.19, 0.13, 0.08, 0.04, 0.03])


@dataclass(frozen=True)
class Sun:
    """Where the sun stands; azimuth clockwise from north."""

    zenith_rad: float
    azimuth_rad: float


@dataclass(frozen=True)
class Terrain:
    """Ground of one chip.

    Attributes:
        elevation_m: (H, W).
        gradient: (2, H, W) rise per metre towards the south and towards the east.
        channel: (H, W), 0 in the bed of the main valley, growing away from it.
        wetness: (H, W), about -2 to 2, high in hollows.
    """

    elevation_m: np.ndarray
    gradient: np.ndarray
    channel: np.ndarray
    wetness: np.ndarray


def make_terrain(rng: np.random.Generator, size: int, relief_m: float, pixel_m: float) -> Terrain:
    """Ridged multifractal hills (after Musgrave 1989) cut by one main valley."""
    sideways = random_field(rng, size, 70, 2.2) * 7, random_field(rng, size, 70, 2.2) * 7
    valley = warp(random_field(rng, size, 190, 3.2), *sideways)
    channel = np.abs(valley)

    relief = 1.1 * channel / (0.6 + channel)
    weight = np.ones_like(relief)
    for wavelength, amplitude in ((110.0, 0.55), (55.0, 0.34), (27.0, 0.2), (13.0, 0.1), (7.0, 0.045)):
        octave = warp(random_field(rng, size, wavelength, 3.4), *sideways)
        ridge = (1.0 - np.minimum(np.abs(octave), 1.6) / 1.6) ** 1.5
        relief = relief + amplitude * ridge * weight
        weight = np.clip(weight * (0.35 + ridge), 0.0, 1.0)
    relief *= 0.25 + 0.75 * channel / (0.35 + channel)
    elevation = relief_m * (relief - relief.min()) / (relief.max() - relief.min())
    gradient = np.stack(np.gradient(elevation, pixel_m))
    return Terrain(elevation, gradient, channel, _wetness(elevation))


def _wetness(elevation: np.ndarray) -> np.ndarray:
    """How much lower a pixel lies than its surroundings, in standard deviations."""
    hollow = ndimage.gaussian_filter(elevation, 12, mode="nearest") - ndimage.gaussian_filter(elevation, 1.0)
    return np.clip(hollow / (hollow.std() + 1e-9), -2.5, 2.5)


def sun_position(latitude_deg: float, day_of_year: int, solar_hour: float = 10.5) -> Sun:
    """The sun at a true solar time; the declination is Cooper's (1969, Solar Energy 12, 333-346)."""
    declination = np.deg2rad(23.45) * np.sin(2 * np.pi * (284 + day_of_year) / 365)
    hour_angle = np.deg2rad(15 * (solar_hour - 12))
    latitude = np.deg2rad(latitude_deg)
    cosine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(
        hour_angle
    )
    zenith = float(np.arccos(cosine))
    east = -np.cos(declination) * np.sin(hour_angle)
    north = np.cos(latitude) * np.sin(declination) - np.sin(latitude) * np.cos(declination) * np.cos(
        hour_angle
    )
    return Sun(zenith, float(np.arctan2(east, north) % (2 * np.pi)))


def illumination(terrain: Terrain, sun: Sun) -> np.ndarray:
    """Light on the slopes relative to flat ground: direct light by the cosine of incidence, plus diffuse light.

    Returns:
        (6, H, W); 1 on flat ground, only the diffuse share where the sun does not reach.
    """
    south_slope, east_slope = terrain.gradient
    towards_east = np.sin(sun.zenith_rad) * np.sin(sun.azimuth_rad)
    towards_north = np.sin(sun.zenith_rad) * np.cos(sun.azimuth_rad)
    normal_length = np.sqrt(1.0 + south_slope**2 + east_slope**2)
    # The surface normal is (-dz/dx, -dz/dy, 1); a row counts from the north, so dz/dnorth = -south_slope.
    incidence = (
        np.cos(sun.zenith_rad) - east_slope * towards_east + south_slope * towards_north
    ) / normal_length
    direct = np.maximum(incidence, 0.0) / np.cos(sun.zenith_rad)
    share = DIFFUSE_SHARE[:, None, None]
    return share + (1.0 - share) * direct
