"""How a fire runs over wind, slope and fuel, how severely it burns, and what it leaves of each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.special import ndtr

from engine.imagery.simulation.endmembers import Endmember
from engine.imagery.simulation.land.cover import SPREAD_RATE, Cover
from engine.imagery.simulation.land.drainage import links
from engine.imagery.simulation.land.landscape import Landscape
from engine.imagery.simulation.noise import random_field, smoothstep

SMALLEST_PATCH_PX = 12
LARGEST_GAP_PX = 8
COARSE = 2  # fronts are computed on every second pixel and roughened at full resolution
LEAST_SEVERITY = 0.2  # below it the ground counts as an unburnt island


@dataclass(frozen=True)
class Wind:
    """Wind over the fire; blows towards `angle_rad`, counter-clockwise from east."""

    angle_rad: float
    eccentricity: float


@dataclass(frozen=True)
class Fire:
    """What a fire has done to a location.

    Attributes:
        burned: (H, W) bool.
        severity: (H, W), 0 where not burned, to 1 where all fuel is consumed; near 0 too in burned ground where
            gaps too small for an island were left.
        age_days: days between the fire and the post-fire date.
        wind: what drove it.
    """

    burned: np.ndarray
    severity: np.ndarray
    age_days: int
    wind: Wind


def run_fire(
    rng: np.random.Generator, landscape: Landscape, pixel_m: float, burned_share: float, age_days: int
) -> Fire:
    """Burn about a share (0 to 1) of the chip, from one to three ignitions."""
    wind = Wind(float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.5, 0.92)))
    cover = landscape.cover[0]
    size = len(cover)
    rate = SPREAD_RATE[cover] * np.exp(-0.3 * landscape.terrain.wetness)
    burnable = rate > 0.02
    arrival = _arrival(rng, landscape, rate, wind, pixel_m)
    arrival *= np.exp(0.22 * random_field(rng, size, 16, 1.6))
    share_of_burnable = min(0.8, burned_share * size * size / max(int(burnable.sum()), 1))
    end = float(np.quantile(arrival[burnable], share_of_burnable))
    reached = burnable & (arrival < end)
    severity = np.where(reached, _severity(rng, landscape, arrival / end, wind), 0.0)
    burned = _tidy(reached & (severity > LEAST_SEVERITY)) & burnable
    return Fire(burned, np.where(burned, severity, 0.0), age_days, wind)


def _arrival(
    rng: np.random.Generator, landscape: Landscape, rate: np.ndarray, wind: Wind, pixel_m: float
) -> np.ndarray:
    """(H, W) time at which the front reaches each pixel: the least travel time over the grid (Finney 2002)."""
    size = len(rate)
    coarse = (slice(None, None, COARSE), slice(None, None, COARSE))
    gusts = np.exp(0.95 * random_field(rng, size, 40, 1.7) + 0.2 * random_field(rng, size, 6, 1.2))
    speed = (ndimage.uniform_filter(rate, COARSE) * gusts)[coarse] + 1e-4
    height = landscape.terrain.elevation_m[coarse]
    ignitions = _ignitions(rng, rate[coarse])
    sources, targets, steps, angles = links(len(speed))
    rise = (height.ravel()[targets] - height.ravel()[sources]) / (steps * COARSE * pixel_m)
    # Van Wagner (1977): spread uphill grows as exp(3.533 tan(slope)**1.2). Downhill we let it fall to a half at most.
    slope_factor = np.where(
        rise > 0, np.exp(3.533 * np.minimum(np.abs(rise), 0.7) ** 1.2), np.maximum(1 + rise, 0.5)
    )
    # An elliptical front with its rear focus at the ignition (Alexander 1985), as a factor of the head's speed.
    e = wind.eccentricity
    wind_factor = (1 - e) / (1 - e * np.cos(angles - wind.angle_rad))
    link_speed = 2 / (1 / speed.ravel()[sources] + 1 / speed.ravel()[targets]) * slope_factor * wind_factor
    graph = csr_array((steps / link_speed, (sources, targets)), shape=(speed.size, speed.size))
    arrival = dijkstra(graph, indices=ignitions, min_only=True).reshape(speed.shape)
    return ndimage.zoom(arrival, COARSE, order=1, grid_mode=True, mode="nearest")


def _ignitions(rng: np.random.Generator, rate: np.ndarray) -> np.ndarray:
    """Numbers of the coarse cells where fire starts, in fuel and away from the chip's edge."""
    size = len(rate)
    inner = np.zeros_like(rate, dtype=bool)
    margin = size // 7
    inner[margin:-margin, margin:-margin] = True
    fuel = np.flatnonzero((rate > 0.3) & inner)
    if not fuel.size:
        fuel = np.flatnonzero(rate == rate.max())
    return rng.choice(fuel, size=min(int(rng.choice([1, 1, 1, 2, 3])), fuel.size), replace=False)


def _severity(rng: np.random.Generator, landscape: Landscape, progress: np.ndarray, wind: Wind) -> np.ndarray:
    """(H, W), 0 to 1: higher uphill, on dry crests and well inside; lower in moist hollows and at the rim."""
    size = len(progress)
    terrain = landscape.terrain
    uphill = terrain.gradient[1] * np.cos(wind.angle_rad) - terrain.gradient[0] * np.sin(wind.angle_rad)
    severity = rng.uniform(0.55, 0.78) + 0.35 * np.clip(uphill, -0.6, 0.6) - 0.07 * terrain.wetness
    severity = severity + 0.17 * random_field(rng, size, 50, 2.2)
    severity = severity + 0.1 * random_field(rng, size, 24, 1.6, stretch=4.0, angle_rad=wind.angle_rad)
    severity = severity + 0.11 * random_field(rng, size, 4, 1.0)
    islands = random_field(rng, size, 26, 1.9)
    severity = severity * smoothstep(islands - 0.35 * terrain.wetness, -2.1, -1.2)
    return np.clip(severity * (0.35 + 0.65 * smoothstep(1 - progress, 0.0, 0.12)), 0.0, 1.0)


def _tidy(burned: np.ndarray) -> np.ndarray:
    """Burned ground without specks, and with gaps too small to be drawn as islands filled."""
    patches, _ = ndimage.label(burned, structure=np.ones((3, 3)))
    burned = burned & (np.bincount(patches.ravel())[patches] >= SMALLEST_PATCH_PX)
    gaps, _ = ndimage.label(~burned)
    return burned | ((gaps > 0) & (np.bincount(gaps.ravel())[gaps] <= LARGEST_GAP_PX))


def scorch(
    rng: np.random.Generator, fire: Fire, cover: np.ndarray, fractions: np.ndarray, other_soil: np.ndarray
) -> np.ndarray:
    """Endmember fractions after the fire.

    The share of a pixel that severity changes becomes charcoal, charred soil, ash, bare soil, scorched crowns and
    shade; with the weeks rain and wind take ash and char away and herbs sprout.

    Args:
        cover, fractions: (H, W) and (K, H, W) of the post-fire date had there been no fire.
        other_soil: (H, W), share of the second soil of the place in what is bare.

    Returns:
        (K, H, W), summing to one over K.
    """
    size = len(cover)
    severity = fire.severity

    def varied(low: float, high: float) -> np.ndarray:
        """(H, W), every value of a range as often as the others, changing over the fire as fuels do."""
        return low + (high - low) * ndtr(random_field(rng, size, 45, 1.7))

    wooded = np.isin(cover, (Cover.FOREST, Cover.SHRUB, Cover.RECENT_CUT, Cover.REGROWTH))
    changed = (
        np.where(wooded, smoothstep(severity, -0.05, 0.68), smoothstep(severity, -0.3, 0.4)) * fire.burned
    )
    # Real scars keep unburnt stems, stones and gaps below a pixel. The range is our own judgement: chosen because decoders
    # then called more of one real scar (Sentinel-2, Myanmar 2021) burnt, not measured.
    changed *= varied(0.5, 1.0)
    weathered = 1.0 - np.exp(-fire.age_days / 45.0)
    patchy = np.clip(0.5 + 0.25 * random_field(rng, size, 7, 1.2), 0.0, 1.0)
    hot = smoothstep(severity, 0.45, 0.95)

    left = np.zeros_like(fractions)
    left[Endmember.CHAR] = (
        varied(0.03, 0.4) * np.where(wooded, 0.6 + 0.7 * hot, 0.8) * (1.0 - 0.5 * weathered)
    )
    left[Endmember.BLACKENED] = varied(0.05, 0.5) * np.where(wooded, 0.7, 1.2) * (1.0 - 0.5 * weathered)
    left[Endmember.CHARRED_SOIL] = varied(0.1, 0.5) * (1.0 - 0.4 * weathered)
    left[Endmember.ASH] = varied(0.0, 0.4) * (0.05 + hot * patchy**2) * (1.0 - 0.85 * weathered)
    left[Endmember.SCORCHED] = np.where(wooded, varied(0.1, 0.45) * (1.0 - hot), 0.02)
    left[Endmember.SHADE] = np.where(wooded, 0.16, 0.09)
    left[Endmember.DRY_GRASS] = np.where(wooded, 0.02, varied(0.02, 0.14))
    left[Endmember.GREEN] = varied(0.05, 0.25) * weathered**2 * patchy
    bare = np.maximum(0.95 - left.sum(axis=0), 0.04)
    left[Endmember.SOIL], left[Endmember.OTHER_SOIL] = bare * (1.0 - other_soil), bare * other_soil
    left /= left.sum(axis=0)
    return fractions * (1.0 - changed) + left * changed
