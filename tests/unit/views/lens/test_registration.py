"""Patches lie where they lie: what the map draws below a place is the patch that pyproj finds there, to a tenth of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyproj import Transformer

from engine.store.schema import StoredTile
from engine.views.layer_view import view_of
from engine.views.lens.placement import mercator, place
from engine.views.lens.reduction import reduction_of
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at
from tests.unit.views.lens.browser import in_browser


def chip(number: int, crs: str, west: float, north: float) -> StoredTile:
    """A chip of 224 px whose corner lies on no grid."""
    tile = replace(tile_at(0, side=14, crs=crs), id=f"chip{number}")
    return replace(tile, transform=(30.0, 0, west + 13.7 * number, 0, -30.0, north - 7.3 * number))


PLACES = {
    "two zones": [tile_at(0, side=14, west=780_000.0), tile_at(0, side=14, crs="EPSG:32619", west=220_000.0)],
    "chips in several zones": [chip(1, "EPSG:32610", 500_000, 4_000_000), chip(2, "EPSG:32616", 300_000, 3_500_000),
                               chip(3, "EPSG:32719", 600_000, 6_200_000)],
    "a far northern tile of 100 km": [replace(tile_at(0, side=256), transform=(30.0, 0, 300_000, 0, -30.0, 7_900_000))],
    "over the antimeridian": [replace(tile_at(0, side=14, crs="EPSG:32601"), transform=(30.0, 0, 208_000.0, 0, -30.0, 5e6))],
}  # fmt: skip


@pytest.mark.parametrize("tiles", PLACES.values(), ids=PLACES)
def test_a_place_of_each_patch_is_found_in_it(tiles: list[StoredTile], tmp_path: Path) -> None:
    dims = (4,)
    reduction = reduction_of(
        view_of(
            make_store(tmp_path / "run", [rows_at(tile, dims) for tile in tiles], meta_of(dims)), window=1
        )
    )
    places, wanted, first = [], [], 0
    rng = np.random.default_rng(0)
    for tile in tiles:
        columns, rows = (rng.integers(0, side, 60) for side in (tile.w, tile.h))
        # A tenth of a patch from its edges, where an error would show.
        inside = rng.choice([0.1, 0.9], (2, 60))
        x, y = tile.patch_transform @ np.stack([columns + inside[0], rows + inside[1]])
        lon, lat = Transformer.from_crs(tile.crs, "EPSG:4326", always_xy=True).transform(x, y)
        places += np.stack(mercator(lon, lat), axis=1).tolist()
        wanted += (first + rows * tile.w + columns).tolist()
        first += tile.rows
    found = in_browser(reduction.path, tmp_path, places=places)["patches"]
    assert found == wanted


def test_the_fit_is_better_than_a_hundredth_of_a_patch_on_tiles_of_any_size_and_zone() -> None:
    tiles = [tile for listed in PLACES.values() for tile in listed]
    placed = place(tiles)
    assert placed.error.max() < 0.01
    assert placed.patches_at(0, *placed.boxes[0, :2, None]).shape == (1, 2)


@pytest.mark.parametrize("south", [False, True], ids=["north", "south"])
def test_chips_drawn_in_every_zone_lie_to_a_tenth_of_a_patch(south: bool) -> None:
    rng = np.random.default_rng(5)
    for zone in range(1, 61):
        crs = f"EPSG:{32700 + zone if south else 32600 + zone}"
        to_ground = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        middle = 6.0 * zone - 183
        lon, lat = middle + rng.uniform(-3, 3, 3), rng.uniform(0, 83, 3) * (-1 if south else 1)
        corners = np.stack(to_ground.transform(lon, lat), axis=1)
        tiles = [chip(0, crs, west, north) for west, north in corners.tolist()]
        placed = place(tiles)
        for number, tile in enumerate(tiles):
            wanted = rng.uniform(0, tile.w, (2, 20))
            back = to_ground.transform(*(tile.patch_transform @ wanted), direction="INVERSE")
            near = middle + (back[0] - middle + 180) % 360 - 180
            found = placed.patches_at(number, *mercator(near, back[1]))
            assert np.abs(found - wanted.T).max() < 0.1, (crs, lon[number], lat[number])
