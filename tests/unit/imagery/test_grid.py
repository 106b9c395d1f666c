"""The grid hangs on the CRS, never on who asks."""

from __future__ import annotations

from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from engine.imagery.grid import TileGrid, phase_of

GRID = TileGrid("EPSG:32618", 20.0, 64)
metres = st.integers(300_000, 310_000)
sizes = st.integers(100, 9_000)


@given(metres, metres, sizes, sizes, metres, metres, sizes, sizes)
def test_same_ground_has_same_tile_id_from_any_region(
    x: int, y: int, w: int, h: int, x2: int, y2: int, w2: int, h2: int
) -> None:
    first = {tile.id: tile.bounds_m for tile in GRID.tiles(box(x, y, x + w, y + h))}
    second = {tile.id: tile.bounds_m for tile in GRID.tiles(box(x2, y2, x2 + w2, y2 + h2))}
    ground = {bounds: name for name, bounds in first.items()}
    for name, bounds in second.items():
        assert ground.get(bounds, name) == name
        assert first.get(name, bounds) == bounds


@given(metres, metres, sizes, sizes)
def test_tiles_cover_an_area_without_gap_or_overlap(x: int, y: int, w: int, h: int) -> None:
    area = box(x, y, x + w, y + h)
    squares = [box(*tile.bounds_m) for tile in GRID.tiles(area)]
    assert sum(square.intersection(area).area for square in squares) == area.area
    assert all(square.intersection(area).area > 0 for square in squares)


def test_phase_keeps_pixel_corners_of_the_scene() -> None:
    transform = Affine(30, 0, 399_975, 0, -30, 4_100_025)
    phase = phase_of(transform, 30.0)
    tile = TileGrid("EPSG:32618", 30.0, 64, phase).tile(5, 9)
    assert (tile.transform.c - transform.c) % 30 == 0
    assert (tile.transform.f - transform.f) % 30 == 0
