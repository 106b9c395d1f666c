"""Kinds of land cover, what each is a mixture of, and how readily each burns."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

import numpy as np

from engine.imagery.simulation.endmembers import Endmember


class Cover(IntEnum):
    """Land cover of a pixel."""

    FOREST = 0
    SHRUB = 1
    GRASS = 2
    CROP = 3
    STUBBLE = 4
    PLOUGHED = 5
    FALLOW = 6
    ROCK = 7
    TOWN = 8
    WATER = 9
    SAND = 10
    RECENT_CUT = 11
    REGROWTH = 12
    LAVA = 13
    MARSH = 14


E = Endmember  # short, for the table
Mixture = Mapping[Endmember, float]

# Each cover at its sparsest and at its densest; pixels lie in between. Shares are our own judgement of 30 m pixels,
# chosen so that mixtures lie near surface reflectances usual in HLS.
MIXTURES: Mapping[Cover, tuple[Mixture, Mixture]] = MappingProxyType(
    {
        Cover.FOREST: (
            {E.GREEN: 0.33, E.NEEDLES: 0.14, E.DRY_GRASS: 0.12, E.SHADE: 0.24, E.SOIL: 0.17},
            {E.GREEN: 0.50, E.NEEDLES: 0.08, E.DRY_GRASS: 0.01, E.SHADE: 0.40, E.SOIL: 0.01},
        ),
        Cover.SHRUB: (
            {E.GREEN: 0.16, E.NEEDLES: 0.08, E.DRY_GRASS: 0.24, E.SHADE: 0.12, E.SOIL: 0.40},
            {E.GREEN: 0.42, E.NEEDLES: 0.14, E.DRY_GRASS: 0.08, E.SHADE: 0.24, E.SOIL: 0.12},
        ),
        Cover.GRASS: (
            {E.GREEN: 0.03, E.DRY_GRASS: 0.46, E.SHADE: 0.05, E.SOIL: 0.46},
            {E.GREEN: 0.09, E.DRY_GRASS: 0.76, E.SHADE: 0.07, E.SOIL: 0.08},
        ),
        Cover.CROP: (
            {E.GREEN_CROP: 0.42, E.SHADE: 0.12, E.SOIL: 0.46},
            {E.GREEN_CROP: 0.90, E.SHADE: 0.07, E.SOIL: 0.03},
        ),
        Cover.STUBBLE: (
            {E.STRAW: 0.32, E.DRY_GRASS: 0.08, E.SHADE: 0.06, E.SOIL: 0.54},
            {E.STRAW: 0.74, E.DRY_GRASS: 0.12, E.SHADE: 0.04, E.SOIL: 0.10},
        ),
        Cover.PLOUGHED: (
            {E.STRAW: 0.04, E.SHADE: 0.34, E.SOIL: 0.62},
            {E.STRAW: 0.02, E.SHADE: 0.08, E.SOIL: 0.90},
        ),
        Cover.FALLOW: (
            {E.GREEN: 0.02, E.DRY_GRASS: 0.16, E.SHADE: 0.08, E.SOIL: 0.74},
            {E.GREEN: 0.16, E.DRY_GRASS: 0.42, E.SHADE: 0.10, E.SOIL: 0.32},
        ),
        Cover.ROCK: (
            {E.ROCK: 0.74, E.SHADE: 0.14, E.SOIL: 0.12},
            {E.ROCK: 0.36, E.GREEN: 0.10, E.DRY_GRASS: 0.12, E.SHADE: 0.18, E.SOIL: 0.24},
        ),
        Cover.TOWN: (
            {E.ASPHALT: 0.34, E.ROOF: 0.16, E.TILES: 0.26, E.GREEN: 0.04, E.SHADE: 0.16, E.SOIL: 0.04},
            {
                E.ASPHALT: 0.16,
                E.ROOF: 0.10,
                E.TILES: 0.18,
                E.GREEN: 0.22,
                E.DRY_GRASS: 0.08,
                E.SHADE: 0.16,
                E.SOIL: 0.10,
            },
        ),
        Cover.WATER: ({E.MURKY_WATER: 1.0}, {E.WATER: 1.0}),
        Cover.LAVA: (
            {E.BASALT: 0.84, E.SHADE: 0.14, E.SOIL: 0.02},
            {E.BASALT: 0.56, E.SHADE: 0.18, E.DRY_GRASS: 0.12, E.GREEN: 0.04, E.SOIL: 0.10},
        ),
        Cover.SAND: (
            {E.SAND: 0.78, E.SOIL: 0.22},
            {E.SAND: 0.40, E.SOIL: 0.36, E.DRY_GRASS: 0.14, E.SHADE: 0.10},
        ),
        Cover.MARSH: (
            {E.DRY_GRASS: 0.22, E.SOIL: 0.18, E.SHADE: 0.25, E.WATER: 0.35},
            {E.GREEN: 0.22, E.DRY_GRASS: 0.34, E.SHADE: 0.26, E.BROWN_WATER: 0.18},
        ),
        Cover.RECENT_CUT: (
            {E.SLASH: 0.34, E.STRAW: 0.10, E.SHADE: 0.12, E.SOIL: 0.40, E.GREEN: 0.04},
            {E.SLASH: 0.48, E.NEEDLES: 0.14, E.SHADE: 0.16, E.SOIL: 0.15, E.GREEN: 0.07},
        ),
        Cover.REGROWTH: (
            {E.GREEN: 0.18, E.SLASH: 0.24, E.DRY_GRASS: 0.10, E.SHADE: 0.14, E.SOIL: 0.34},
            {E.GREEN: 0.44, E.SLASH: 0.12, E.DRY_GRASS: 0.08, E.SHADE: 0.22, E.SOIL: 0.14},
        ),
    }
)

# Rate of spread relative to dry grass; our own judgement, in the order of Scott and Burgan's (2005) fuel models
# (grass, then shrub, then timber litter; agricultural, urban, bare and water are not burnable).
SPREAD_RATE = np.array(
    [0.42, 0.75, 1.0, 0.012, 0.22, 0.0, 0.10, 0.03, 0.01, 0.0, 0.0, 0.40, 0.55, 0.01, 0.015]
)


def fractions_of(cover: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Endmember fractions of land cover.

    Args:
        cover: (H, W) of `Cover`.
        density: (H, W) in 0 to 1, from the sparse mixture to the dense one.

    Returns:
        (K, H, W) float32, summing to one over K.
    """
    sparse, dense = np.zeros((2, len(E), len(Cover)), dtype=np.float32)
    for kind, (thin, thick) in MIXTURES.items():
        sparse[list(thin), kind] = list(thin.values())
        dense[list(thick), kind] = list(thick.values())
    fractions = np.zeros((len(E), *cover.shape), dtype=np.float32)
    for row in np.flatnonzero(sparse.any(axis=1) | dense.any(axis=1)):
        fractions[row] = sparse[row][cover] + density * (dense[row] - sparse[row])[cover]
    return fractions
