"""The order of places is that of a Hilbert curve, by another library's word and by what it is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine

from engine.imagery.sources.chip_folder import chip_scenes
from engine.imagery.sources.raster_file import file_scene
from engine.imagery.tiles.hilbert import hilbert_distance, hilbert_order
from engine.imagery.tiles.tile_plan import cut
from engine.imagery.tiles.windows import Tiling


@pytest.mark.parametrize("level", [1, 2, 3, 5])
def test_the_curve_visits_every_cell_once_and_moves_to_a_neighbour(level: int) -> None:
    y, x = np.mgrid[: 2**level, : 2**level].reshape(2, -1)
    distance = hilbert_distance(x, y, level)
    assert sorted(distance) == list(range(4**level))
    along = np.argsort(distance)
    steps = np.abs(np.diff(x[along])) + np.abs(np.diff(y[along]))
    assert (steps == 1).all()


def test_the_curve_is_geopandas_curve() -> None:
    y, x = np.mgrid[:32, :32].reshape(2, -1)
    theirs = gpd.GeoSeries(gpd.points_from_xy(x, y)).hilbert_distance(total_bounds=(0, 0, 31, 31), level=5)
    assert np.array_equal(hilbert_distance(x, y, 5), theirs)


def test_a_box_meets_fewer_bundles_of_places_than_rows_would_give() -> None:
    row, column = np.mgrid[:60, :60].reshape(2, -1)
    order = hilbert_order(np.stack([10 + column * 0.01, 40 - row * 0.01], axis=1))
    rank = np.empty(len(order), int)
    rank[order] = np.arange(len(order))

    def bundles(rank: np.ndarray) -> float:
        """Bundles of 60 that a box of 6 x 6 meets, over many boxes."""
        counts = [
            len(np.unique(rank[(row // 6 == north) & (column // 6 == west)] // 60))
            for north in range(10) for west in range(10)
        ]  # fmt: skip
        return float(np.mean(counts))

    assert bundles(np.arange(len(order))) == 6
    assert bundles(rank) < 3.5


def test_the_order_of_two_places_does_not_hang_on_the_others() -> None:
    lonlat = np.random.default_rng(5).uniform((-10, 30), (10, 50), (50, 2))
    whole = [tuple(place) for place in lonlat[hilbert_order(lonlat)]]
    some = lonlat[::3]
    assert [tuple(place) for place in some[hilbert_order(some)]] == [
        p for p in whole if p in {tuple(place) for place in some}
    ]


def test_tiles_are_planned_along_the_curve(write_raster: Callable[..., Path]) -> None:
    scene = file_scene(write_raster("scene.tif", np.ones((6, 256, 256), np.int16)))
    planned = cut((scene,), None, Tiling(16, 16))
    centres = np.array([item.tile.centre_lonlat for item in planned])
    assert len(planned) > 200
    assert list(hilbert_order(centres)) == list(range(len(planned)))


def test_tiles_of_one_shape_are_planned_together_to_fill_batches(
    write_raster: Callable[..., Path], tmp_path: Path
) -> None:
    for index in range(6):
        side = 32 + 16 * (index % 2)
        where = Affine(20, 0, 400_000 + 2000 * index, 0, -20, 4_100_000)
        write_raster(f"chips/data/{index}_merged.tif", np.ones((6, side, side), np.int16), transform=where)
    planned = cut(chip_scenes(tmp_path / "chips"), None, Tiling(None, 16))
    assert [item.tile.height for item in planned] == [32] * 3 + [48] * 3
