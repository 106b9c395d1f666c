"""What the simulated season has of the real Earth: air, rivers, climates, sensors and dark ground that has not burnt."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from engine.imagery.simulation.air import aerosol, molecules, to_surface, to_top
from engine.imagery.simulation.chip import simulate_chip
from engine.imagery.simulation.endmembers import BANDS, Endmember, local_spectra
from engine.imagery.simulation.land.coast import lay_coast
from engine.imagery.simulation.land.cover import SPREAD_RATE, Cover
from engine.imagery.simulation.land.landscape_kinds import LANDSCAPE_KINDS, landscape_kind_of
from engine.imagery.simulation.land.terrain import Terrain, make_terrain
from engine.imagery.simulation.location import MOST_CHIPS
from engine.imagery.simulation.noise import random_field
from engine.imagery.simulation.views import VIEWS, view_of

RED = BANDS.index("red")


def test_the_top_of_atmosphere_is_brighter_in_blue_than_the_ground_and_the_correction_takes_that_away() -> (
    None
):
    dark_green = np.array([0.025, 0.045, 0.035, 0.3, 0.16, 0.08])[:, None, None]
    for depth in (0.05, 0.2, 0.6):
        haze = aerosol(depth, 1.3)
        seen = to_top(dark_green, haze, np.deg2rad(40))
        added = (seen - dark_green)[:, 0, 0]
        assert 0.05 < added[0] < 0.2
        assert (np.diff(added[:3]) < 0).all()
        assert np.abs(added[4:]).max() < 0.02
        assert to_surface(seen, haze, np.deg2rad(40)) == pytest.approx(dark_green, abs=1e-6)


def test_molecules_scatter_as_tables_say() -> None:
    # Table 2 of PMC6020680, Rayleigh optical depths of Landsat 8's bands: of 0.168, 0.090, 0.048, 0.015, 0.001 in these bands.
    assert molecules()[:5] == pytest.approx([0.168, 0.090, 0.048, 0.015, 0.001], abs=0.0015)


def test_every_kind_of_country_is_seen_in_every_way_of_delivery() -> None:
    kinds = len(LANDSCAPE_KINDS)
    seen = {(landscape_kind_of(index), view_of(index, kinds)) for index in range(MOST_CHIPS)}
    assert len(seen) == kinds * len(VIEWS)
    scenes = [view_of(index, kinds).level for index in range(MOST_CHIPS)]
    assert scenes.count("surface") == MOST_CHIPS / 2


def test_rivers_do_not_close_into_rings() -> None:
    for seed in range(12):
        terrain = make_terrain(np.random.default_rng(seed), 128, 300.0, 30.0)
        _, pieces = ndimage.label(terrain.river_px > 1.5, structure=np.ones((3, 3)))
        banks, _ = ndimage.label(terrain.river_px > 0.8)
        sizes = np.bincount(banks.ravel())[1:]
        edge = np.concatenate([banks[0], banks[-1], banks[:, 0], banks[:, -1]])
        inside = [size for bank, size in enumerate(sizes, 1) if bank not in edge]
        assert pieces <= 4
        assert sum(inside) < 20  # single cells between two bends of a line


def test_some_places_lie_at_a_sea_and_neither_sea_nor_marsh_carries_fire() -> None:
    flooded = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        cover = np.full((2, 64, 64), Cover.SHRUB, dtype=np.int64)
        flat = np.zeros((64, 64))
        lay_coast(
            rng, cover, Terrain(flat, np.zeros((2, 64, 64)), flat, flat, flat, random_field(rng, 64, 20))
        )
        assert (cover[0] == cover[1]).all()
        flooded.append((cover[0] == Cover.WATER).mean())
    assert 0.15 < np.mean(np.array(flooded) > 0.05) < 0.45
    assert max(flooded) < 0.6
    assert SPREAD_RATE[[Cover.WATER, Cover.MARSH]].max() < 0.02
    assert len(SPREAD_RATE) == len(Cover)


def test_soils_and_waters_of_places_range_from_dark_to_bright() -> None:
    places = np.stack([local_spectra(np.random.default_rng(seed)) for seed in range(200)])
    assert places.min() >= 0
    soil = np.quantile(places[:, Endmember.SOIL, RED], (0.02, 0.98))
    assert soil[0] < 0.12
    assert soil[1] > 0.28
    silt = np.quantile(places[:, Endmember.MURKY_WATER, RED], (0.02, 0.98))
    assert silt[1] > 2.5 * silt[0]


def test_dark_ground_that_has_not_burnt_takes_its_share() -> None:
    chips = [simulate_chip(0, index) for index in (3, 7)]  # steppe with lava, boreal forest with lakes
    covers = [np.bincount(chip.cover.ravel(), minlength=len(Cover)) / chip.cover.size for chip in chips]
    assert 0.0 < covers[0][Cover.LAVA] < 0.16
    assert 0.005 < covers[1][Cover.WATER] < 0.2
