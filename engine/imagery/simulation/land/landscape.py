"""One place before and after: its ground, its land cover and what each pixel is a mixture of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from engine.imagery.simulation.endmembers import Endmember
from engine.imagery.simulation.land.coast import lay_coast, water_depth
from engine.imagery.simulation.land.cover import Cover, fractions_of
from engine.imagery.simulation.land.fields import Parcels, forest_cuts, make_parcels, pivots, road, streets
from engine.imagery.simulation.land.landscape_kinds import LandscapeKind
from engine.imagery.simulation.land.terrain import Terrain, make_terrain
from engine.imagery.simulation.noise import highest, random_field, smoothstep


@dataclass(frozen=True)
class Landscape:
    """Ground and cover of one chip; a pair is (pre-fire, post-fire) and knows nothing of the fire.

    Attributes:
        terrain: the ground.
        cover: pair of (H, W) of `Cover`.
        fractions: pair of (K, H, W) endmember fractions.
        other_soil: (H, W), share of the second soil of the place in what is bare.
    """

    terrain: Terrain
    cover: tuple[np.ndarray, np.ndarray]
    fractions: tuple[np.ndarray, np.ndarray]
    other_soil: np.ndarray


def make_landscape(
    rng: np.random.Generator,
    size: int,
    pixel_m: float,
    landscape_kind: LandscapeKind,
    greenness: tuple[float, float],
) -> Landscape:
    """A place of some landscape_kind on two dates.

    Args:
        greenness: share of the herbs that is still green on each date, 0 to 1.
    """
    terrain = make_terrain(rng, size, rng.uniform(*landscape_kind.relief_m), pixel_m)
    wild = _wild_cover(rng, terrain, landscape_kind)
    parcels = make_parcels(rng, size, rng.uniform(11, 24))
    upland = terrain.channel + 0.3 * random_field(rng, size, 60, 2.0)
    on_farms = ~highest(upland, 1.0 - rng.uniform(*landscape_kind.farmland))
    fields = _field_cover(rng, parcels)
    cover = np.where(on_farms & (parcels.edge_px > 0.5), fields, wild)  # (2, H, W), hedges between the fields
    _fell(rng, cover, landscape_kind)
    _build(rng, cover, on_farms, landscape_kind)
    _lay_lava(rng, cover, landscape_kind)
    _flood(rng, cover, terrain, landscape_kind)

    wet = rng.spawn(1)[0]  # of its own, so that the draws that follow stay those of version 2
    lay_coast(wet, cover, terrain)
    density = _density(rng, terrain, parcels, on_farms)
    density = np.where(cover[1] == Cover.WATER, water_depth(wet, size), density)
    darkening = _soil_darkening(rng, terrain, parcels, on_farms)
    roads = sum(
        (road(rng, size, rng.uniform(2, 14)) for _ in range(int(rng.integers(1, 4)))), np.zeros((size, size))
    )
    trees = landscape_kind.canopy
    canopy = (
        float(rng.uniform(*trees.broadleaf)),
        float(rng.uniform(*trees.leafless)),
        float(rng.uniform(*trees.open_shade)),
    )
    other_soil = smoothstep(random_field(rng, size, 90, 2.0), -1.0, 1.0)
    fractions = [
        _fractions(kind, density, darkening, roads, green, canopy)
        for kind, green in zip(cover, greenness, strict=True)
    ]
    for one in fractions:
        one[Endmember.OTHER_SOIL] = one[Endmember.SOIL] * other_soil
        one[Endmember.SOIL] -= one[Endmember.OTHER_SOIL]
    return Landscape(terrain, (cover[0], cover[1]), (fractions[0], fractions[1]), other_soil)


def _wild_cover(rng: np.random.Generator, terrain: Terrain, landscape_kind: LandscapeKind) -> np.ndarray:
    """(H, W): forest in hollows and on north slopes, grass where it is driest, shrub between, rock on crests."""
    size = len(terrain.channel)
    north_facing = terrain.gradient[0] / (np.abs(terrain.gradient[0]).mean() + 1e-9)
    moisture = 0.5 * terrain.wetness + 0.45 * np.clip(north_facing, -2, 2)
    moisture += 0.8 * random_field(rng, size, 80, 1.7) + 0.35 * random_field(rng, size, 9, 1.2)
    forest = rng.uniform(*landscape_kind.forest)
    shrub = min(rng.uniform(*landscape_kind.shrub), 1.0 - forest)
    brush = np.where(highest(moisture, forest + shrub), Cover.SHRUB, Cover.GRASS)
    cover = np.where(highest(moisture, forest), Cover.FOREST, brush)
    steepness = np.hypot(*terrain.gradient) - 0.15 * terrain.wetness + 0.1 * random_field(rng, size, 12, 1.4)
    cover[highest(steepness, 0.03 * rng.random())] = Cover.ROCK
    bank_px = 2.5 + 1.2 * random_field(rng, size, 25, 1.8)
    cover[(terrain.river_px < bank_px) & (cover != Cover.ROCK)] = Cover.FOREST  # trees along the river
    return cover


def _field_cover(rng: np.random.Generator, parcels: Parcels) -> np.ndarray:
    """(2, H, W): each parcel's crop calendar, so that some fields are harvested or ploughed between the dates."""
    calendars = np.array(
        [
            (Cover.CROP, Cover.CROP), (Cover.CROP, Cover.STUBBLE), (Cover.STUBBLE, Cover.STUBBLE),
            (Cover.STUBBLE, Cover.PLOUGHED), (Cover.PLOUGHED, Cover.PLOUGHED), (Cover.FALLOW, Cover.FALLOW),
            (Cover.FALLOW, Cover.PLOUGHED), (Cover.GRASS, Cover.GRASS), (Cover.PLOUGHED, Cover.CROP),
        ]
    )  # fmt: skip
    shares = rng.dirichlet(np.array([2.4, 1.2, 1.4, 0.9, 1.0, 1.4, 0.5, 1.2, 0.4]))
    calendar = calendars[rng.choice(len(calendars), size=parcels.count, p=shares)]  # (parcels, 2)
    cover = np.moveaxis(calendar[parcels.number], -1, 0)
    for disc in pivots(rng, len(parcels.number), int(rng.integers(0, 4))):
        cover[:, disc] = calendars[rng.integers(len(calendars))][:, None]
    return cover


def _fell(rng: np.random.Generator, cover: np.ndarray, landscape_kind: LandscapeKind) -> None:
    """Cut blocks into the forest: some between the two dates, some recent on both, some growing back."""
    calendars = ((Cover.FOREST, Cover.RECENT_CUT), (Cover.RECENT_CUT,) * 2, (Cover.REGROWTH,) * 2)
    blocks = forest_cuts(
        rng, cover.shape[-1], cover[0] == Cover.FOREST, int(rng.integers(*landscape_kind.cuts, endpoint=True))
    )
    for block in blocks:
        cover[:, block] = np.array(calendars[rng.choice(3, p=(0.3, 0.35, 0.35))])[:, None]


def _build(
    rng: np.random.Generator, cover: np.ndarray, on_farms: np.ndarray, landscape_kind: LandscapeKind
) -> None:
    """Towns, most often in the farmland."""
    size = cover.shape[-1]
    for _ in range(int(rng.integers(0, landscape_kind.towns, endpoint=True))):
        places = np.argwhere(on_farms) if on_farms.any() else np.argwhere(np.ones_like(on_farms))
        row, column = places[rng.integers(len(places))]
        cover[
            :,
            streets(rng, size, (int(row), int(column)), float(np.exp(rng.uniform(np.log(6), np.log(50)))))
            > 0.5,
        ] = Cover.TOWN


def _lay_lava(rng: np.random.Generator, cover: np.ndarray, landscape_kind: LandscapeKind) -> None:
    """Dark lava in lobes, on which little grows."""
    flows = random_field(rng, cover.shape[-1], 70, 2.1) + 0.25 * random_field(rng, cover.shape[-1], 10, 1.3)
    cover[:, highest(flows, rng.uniform(*landscape_kind.lava))] = Cover.LAVA


def _flood(
    rng: np.random.Generator, cover: np.ndarray, terrain: Terrain, landscape_kind: LandscapeKind
) -> None:
    """A river along the valley, and behind a dam a reservoir whose level falls over the summer."""
    size = cover.shape[-1]
    width_px = max(0.0, rng.uniform(-0.8, 2.4)) * (1 + 0.25 * random_field(rng, size, 30, 2.0))
    bars = random_field(rng, size, 18, 1.8) > 0.7
    cover[:, bars & (terrain.river_px < width_px + 1.2) & (width_px > 0.7)] = Cover.SAND
    cover[:, terrain.river_px < width_px] = Cover.WATER
    ponds = highest(random_field(rng, size, 36, 2.2), rng.uniform(*landscape_kind.ponds))
    cover[:, ndimage.binary_fill_holes(ndimage.binary_opening(ponds))] = Cover.WATER
    share = rng.uniform(*landscape_kind.lake)
    if share < 0.008:
        return
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.indices((size, size)) / size - 0.5
    upstream = np.cos(angle) * columns + np.sin(angle) * rows > rng.uniform(-0.3, 0.1)
    depth = ndimage.gaussian_filter(terrain.elevation_m, 1.0)
    level = np.quantile(depth[upstream], min(0.5, share / upstream.mean()))
    basins, _ = ndimage.label(upstream & (depth < level))
    full = (basins == np.argmax(np.bincount(basins.ravel())[1:]) + 1) if basins.any() else basins > 0
    full = ndimage.binary_fill_holes(ndimage.binary_opening(full, iterations=2))
    drawdown = depth > level - rng.uniform(0.0, 0.05) * np.ptp(terrain.elevation_m)
    cover[:, full] = Cover.WATER
    cover[1, full & drawdown] = Cover.SAND


def _density(
    rng: np.random.Generator, terrain: Terrain, parcels: Parcels, on_farms: np.ndarray
) -> np.ndarray:
    """(H, W), 0 to 1: how densely each pixel is covered."""
    size = len(on_farms)
    wild = (
        0.55
        + 0.16 * terrain.wetness
        + 0.2 * random_field(rng, size, 45, 1.6)
        + 0.13 * random_field(rng, size, 5, 1.0)
    )
    rows = random_field(rng, size, 14, 1.5, stretch=9.0, angle_rad=parcels.angle_rad)
    farmed = (
        rng.beta(2.0, 1.6, size=parcels.count)[parcels.number]
        + 0.06 * rows
        + 0.09 * random_field(rng, size, 18, 2.0)
    )
    return np.clip(np.where(on_farms, farmed, wild), 0.0, 1.0)


def _soil_darkening(
    rng: np.random.Generator, terrain: Terrain, parcels: Parcels, on_farms: np.ndarray
) -> np.ndarray:
    """(H, W) share of the soil that stands for moisture and roughness, as shade."""
    size = len(on_farms)
    place = rng.uniform(0.18, 0.42)  # laboratory soils are dry and sieved, those of fields are darker
    wild = place + 0.05 * terrain.wetness + 0.08 * random_field(rng, size, 60, 1.8)
    farmed = (
        place
        + rng.normal(0.06, 0.16, size=parcels.count)[parcels.number]
        + 0.05 * random_field(rng, size, 22, 1.8)
    )
    return np.clip(np.where(on_farms, farmed, wild), 0.02, 0.78)


def _fractions(
    cover: np.ndarray,
    density: np.ndarray,
    darkening: np.ndarray,
    roads: np.ndarray,
    greenness: float,
    canopy: tuple[float, float, float],
) -> np.ndarray:
    """(K, H, W) endmember fractions on one date."""
    fractions = fractions_of(cover, density)
    herbs = fractions[Endmember.DRY_GRASS] * greenness
    fractions[Endmember.DRY_GRASS] -= herbs
    fractions[Endmember.GREEN] += herbs
    _change_canopy(fractions, cover, canopy)
    shaded = fractions[Endmember.SOIL] * darkening
    fractions[Endmember.SOIL] -= shaded
    fractions[Endmember.SHADE] += shaded
    paved = np.where(cover == Cover.WATER, 0.0, smoothstep(roads, 0.0, 1.2))
    fractions *= 1.0 - paved
    fractions[Endmember.ASPHALT] += 0.45 * paved
    fractions[Endmember.SOIL] += 0.55 * paved
    return fractions


def _change_canopy(fractions: np.ndarray, cover: np.ndarray, canopy: tuple[float, float, float]) -> None:
    """Turn needles to leaves, leaves to litter and shade between crowns to leaves, by the shares of `Canopy`."""
    broadleaf, leafless, open_shade = canopy
    wooded = np.isin(cover, (Cover.FOREST, Cover.SHRUB, Cover.REGROWTH))
    for source, target, share in (
        (Endmember.NEEDLES, Endmember.GREEN, broadleaf),
        (Endmember.SHADE, Endmember.GREEN, open_shade),
        (Endmember.GREEN, Endmember.DRY_GRASS, leafless),
    ):
        moved = np.where(wooded, fractions[source] * share, 0.0)
        fractions[source] -= moved
        fractions[target] += moved
