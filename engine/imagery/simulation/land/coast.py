"""Sea, salt marsh and wet hollows: dark ground that has not burnt, of which real scenes hold whole halves."""

from __future__ import annotations

import numpy as np

from engine.imagery.simulation.land.cover import Cover
from engine.imagery.simulation.land.fields import turned
from engine.imagery.simulation.land.terrain import Terrain
from engine.imagery.simulation.noise import highest, random_field

# How often a place lies at the sea or has wet hollows, and how much of it: our own judgement, not measured.
COASTAL, HOLLOW = 0.3, 0.3
SEA_SHARE, HOLLOW_SHARE = (0.06, 0.45), (0.01, 0.08)
MARSHY, MARSH_WIDTH = 0.6, (0.0, 0.16)  # of the coasts, and in widths of a chip
BEACH_WIDTH = 0.012


def lay_coast(rng: np.random.Generator, cover: np.ndarray, terrain: Terrain) -> None:
    """Draw sea with beach and marsh, and marsh in hollows, into the cover of both dates, (2, H, W)."""
    if rng.random() < COASTAL:
        _lay_sea(rng, cover)
    if rng.random() < HOLLOW:
        wetness = terrain.wetness + 0.6 * random_field(rng, cover.shape[-1], 30, 2.0)
        wet = highest(wetness, rng.uniform(*HOLLOW_SHARE))
        cover[:, wet & (cover[0] != Cover.WATER)] = Cover.MARSH


def water_depth(rng: np.random.Generator, size: int) -> np.ndarray:
    """(H, W), 0 where water is murky to 1 where it is clear: smoother than anything on land."""
    return np.clip(rng.uniform(0.1, 0.9) + 0.25 * random_field(rng, size, 150, 2.6), 0.0, 1.0)


def _lay_sea(rng: np.random.Generator, cover: np.ndarray) -> None:
    """Sea beyond a winding shore, and in front of some shores a marsh that creeks run through."""
    size = cover.shape[-1]
    along, _ = turned(size, float(rng.uniform(0, 2 * np.pi)))
    seawards = (
        along / size + 0.06 * random_field(rng, size, 90, 2.2) + 0.012 * random_field(rng, size, 14, 1.6)
    )
    shore = np.quantile(seawards, 1.0 - rng.uniform(*SEA_SHARE))
    marsh_width = rng.uniform(*MARSH_WIDTH) if rng.random() < MARSHY else 0.0
    flat = (seawards > shore - marsh_width) & (random_field(rng, size, 40, 2.0) > -0.7)
    creeks = np.abs(random_field(rng, size, 30, 2.2)) < 0.12
    cover[:, flat] = Cover.MARSH
    cover[:, flat & creeks] = Cover.WATER
    cover[:, (seawards > shore - BEACH_WIDTH) & (random_field(rng, size, 60, 2.0) > -0.3)] = Cover.SAND
    cover[:, seawards > shore] = Cover.WATER
