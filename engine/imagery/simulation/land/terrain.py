"""Hills with valleys and ridges, and how the sun lights them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from engine.imagery.simulation.land.drainage import carve
from engine.imagery.simulation.land.fields import turned
from engine.imagery.simulation.noise import random_field

# Share of diffuse light in each band of HLS under a clear sky: approximate, falling with wavelength as Rayleigh
# and aerosol scattering do.
DIFFUSE_SHARE = np.array([0.26, 0.19, 0.13, 0.08, 0.04, 0.03])


COARSE_PX = 2.6  # pixels of 30 m in a cell of the grid that valleys are carved on


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
        channel: (H, W), 0 in the bed of the main valley, growing away from it, mostly below 2.
        river_px: (H, W), about the distance to that bed in pixels, where it is near.
        stream: (H, W), natural logarithm of the coarse cells that drain through a location.
        wetness: (H, W), about -2 to 2, high in hollows and along streams.
    """

    elevation_m: np.ndarray
    gradient: np.ndarray
    channel: np.ndarray
    river_px: np.ndarray
    stream: np.ndarray
    wetness: np.ndarray


def make_terrain(rng: np.random.Generator, size: int, relief_m: float, pixel_m: float) -> Terrain:
    """Hills that drain into one main valley, carved on a coarse grid and roughened at full resolution."""
    cells = int(
        np.ceil(size * 1.52 / COARSE_PX)
    )  # the coarse grid is laid askew and must still cover the chip
    valley = _main_valley(rng, cells)
    hardness = np.exp(0.5 * random_field(rng, cells, 45, 2.2) + 0.22 * random_field(rng, cells, 4, 1.0))
    height, area = carve(hardness, _valley_floor(valley))

    where = _askew(rng, size, cells)
    height, valley = (
        ndimage.map_coordinates(coarse, where, order=3, mode="nearest") for coarse in (height, valley)
    )
    stream = ndimage.map_coordinates(np.log(area), where, order=1, mode="nearest")
    height = ndimage.gaussian_filter(height, 1.1, mode="nearest")
    height = (
        height / height.std()
        + 0.1 * random_field(rng, size, 30, 2.4)
        + 0.028 * random_field(rng, size, 8, 1.9)
    )
    low, high = np.quantile(height, (0.005, 0.995))
    elevation = relief_m * (height - low) / (high - low)
    gradient = np.stack(np.gradient(elevation, pixel_m))
    wetness = np.clip(_hollowness(elevation) + 0.35 * (stream - 1.5), -2.5, 2.5)
    channel = np.abs(valley)
    river_px = channel / np.maximum(np.hypot(*np.gradient(valley)), 0.01)
    return Terrain(elevation, gradient, channel, river_px, stream, wetness)


def _main_valley(rng: np.random.Generator, cells: int) -> np.ndarray:
    """(H, W), a field that is 0 along one winding line from edge to edge, and about 1 a quarter of the width away.

    The line is the graph of a function in a turned frame, so that it neither closes nor crosses itself.
    """
    along, across = turned(cells, float(rng.uniform(0, 2 * np.pi)))
    place = np.arange(-cells, cells)
    curve = np.zeros(len(place))
    for wavelength in cells * rng.uniform((0.9, 0.35, 0.16), (1.6, 0.6, 0.26)):
        # A swing of a tenth of the wavelength: bends of up to about 30 degrees, as valleys have.
        curve += 0.1 * wavelength * np.sin(2 * np.pi * place / wavelength + rng.uniform(0, 2 * np.pi))
    offset = rng.uniform(-0.2, 0.2) * cells
    valley: np.ndarray = (across - offset - np.interp(along, place, curve)) / (0.25 * cells)
    return valley


def _valley_floor(valley: np.ndarray) -> np.ndarray:
    """Numbers of the cells, row by row, where a field changes sign."""
    above = valley > 0
    floor = np.zeros_like(above)
    floor[1:] |= above[1:] != above[:-1]
    floor[:, 1:] |= above[:, 1:] != above[:, :-1]
    return np.flatnonzero(floor)


def _askew(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """(2, H, W) where each pixel lies on the coarse grid: turned by any angle, so that its axes do not show."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = (np.indices((size, size)) - (size - 1) / 2) / COARSE_PX
    rows = rows + random_field(rng, size, 34, 2.4) * 1.1
    columns = columns + random_field(rng, size, 34, 2.4) * 1.1
    turned = np.cos(angle) * rows - np.sin(angle) * columns, np.sin(angle) * rows + np.cos(angle) * columns
    return np.stack(turned) + (cells - 1) / 2


def _hollowness(elevation: np.ndarray) -> np.ndarray:
    """How much lower a pixel lies than its surroundings, in standard deviations."""
    hollow = ndimage.gaussian_filter(elevation, 9, mode="nearest") - ndimage.gaussian_filter(elevation, 1.0)
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
