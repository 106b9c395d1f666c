"""Outlines of patches on the antimeridian and around the poles, as GeoJSON (RFC 7946) and GeoParquet want them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from engine.store.footprints import Footprints, footprints
from engine.store.schema import StoredTile

_GEOD = Geod(ellps="WGS84")
# CRS and a place in it, on the antimeridian or at a pole.
PLACES = (
    ("EPSG:32660", 832_000.0, 50_000.0), ("EPSG:32601", 170_000.0, 200_000.0), ("EPSG:32701", 250_000.0, 2_000_000.0),
    ("EPSG:3832", 3_339_584.7, 1_000_000.0), ("EPSG:3857", 20_037_508.34, 6_000_000.0), ("EPSG:3031", 0.0, -1_000_000.0),
    ("EPSG:3995", 0.0, 2_000_000.0), ("EPSG:3571", 0.0, -1_500_000.0), ("EPSG:32661", 2_000_000.0, 2_500_000.0),
    ("EPSG:32661", 2_000_000.0, 2_000_000.0), ("EPSG:32761", 2_000_000.0, 2_000_000.0), ("EPSG:3413", 0.0, 0.0),
    ("EPSG:3031", 0.0, 0.0), ("EPSG:3571", 0.0, 0.0),
)  # fmt: skip


def tile_of(crs: str, west: float, north: float, side_m: float, patches: int) -> StoredTile:
    transform = (side_m, 0.0, west, 0.0, -side_m, north)
    return StoredTile("t", crs, transform, patches, patches, patches, patches, (), (), None)


@st.composite
def tiles(draw: st.DrawFn) -> StoredTile:
    """Patches over a place, their corners exactly on its lines or anywhere."""
    crs, x, y = draw(st.sampled_from(PLACES))
    side_m = draw(st.sampled_from([10.0, 240.0, 960.0]))
    count = draw(st.integers(1, 5))
    west, north = x - side_m * draw(st.integers(0, 5)), y + side_m * draw(st.integers(0, 5))
    if draw(st.booleans()):
        west, north = west + draw(st.floats(0, 0.99)) * side_m, north + draw(st.floats(0, 0.99)) * side_m
    return tile_of(crs, west, north, side_m, count)


def in_bounds(bounds: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    west, south, east, north = bounds
    across = (lon >= west - 1e-7) & (lon <= east + 1e-7)
    if west > east:
        across = (lon >= west - 1e-7) | (lon <= east + 1e-7)
    return across & (lat >= south - 1e-7) & (lat <= north + 1e-7)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(tile=tiles(), seed=st.integers(0, 99))
def test_an_outline_is_valid_narrow_counterclockwise_and_holds_its_ground(
    tile: StoredTile, seed: int
) -> None:
    made = footprints([tile])
    to_lonlat = Transformer.from_crs(tile.crs, "OGC:CRS84", always_xy=True)
    share = np.random.default_rng(seed).uniform(0.02, 0.98, (2, 8))
    for place, (shape, bounds) in enumerate(zip(shapely.from_wkb(made.wkb()), made.bounds, strict=True)):
        row, column = divmod(place, tile.w)
        lon, lat = to_lonlat.transform(*(tile.patch_transform @ (column + share[0], row + share[1])))
        parts = shapely.get_parts(shape)
        has_pole = abs(shape.bounds[1]) == 90 or abs(shape.bounds[3]) == 90
        assert shape.is_valid
        assert not shape.is_empty
        assert all(part.exterior.is_ccw and part.area > 0 for part in parts)
        assert -180 <= shape.bounds[0] <= shape.bounds[2] <= 180
        assert has_pole or max(part.bounds[2] - part.bounds[0] for part in parts) <= 180
        if np.abs(lat).max() < 89.5:  # nearer, straight lines in lon/lat are not those of the patch
            assert shapely.contains_xy(shape.buffer(1e-6), lon, lat).all()
            assert in_bounds(bounds, np.asarray(lon), np.asarray(lat)).all()
            area_m2 = abs(_GEOD.geometry_area_perimeter(shape)[0])
            corners = tile.patch_transform @ (np.array([0, 1, 1, 0]) + column, np.array([0, 0, 1, 1]) + row)
            expected, _ = _GEOD.polygon_area_perimeter(*to_lonlat.transform(*corners))
            assert area_m2 == pytest.approx(abs(expected), rel=1e-3)


@pytest.mark.parametrize(("crs", "x", "y", "sign"), [
    ("EPSG:3413", 0, 0, 1), ("EPSG:3031", 0, 0, -1), ("EPSG:32661", 2e6, 2e6, 1), ("EPSG:3571", 0, 0, 1),
])  # fmt: skip
@pytest.mark.parametrize(
    "shift", [(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.31, 0.77)], ids=["corner", "side", "middle", "inside"]
)
def test_patches_around_a_pole_cover_it_once(
    crs: str, x: float, y: float, sign: int, shift: tuple[float, float]
) -> None:
    side_m = 100.0
    tile = tile_of(crs, x - (2 + shift[0]) * side_m, y + (2 + shift[1]) * side_m, side_m, 5)
    shapes = shapely.from_wkb(footprints([tile]).wkb())
    near = (
        shapely.box(-180, 89.9999, 180, 90) if sign > 0 else shapely.box(-180, -90, 180, -89.9999)
    )  # 11 m around it
    shares = shapely.area(shapely.intersection(shapes, near)) / near.area
    assert shares.sum() == pytest.approx(1, abs=0.02)
    assert shapely.union_all(shapes).intersection(near).area == pytest.approx(near.area, rel=0.02)


def test_bounds_of_a_store_over_the_antimeridian_have_their_west_beyond_their_east() -> None:
    made: Footprints = footprints([tile_of("EPSG:32701", 160_000.0, 8_000_000.0, 5_000.0, 9)])
    west, south, east, north = made.total_bounds
    assert west > 179 and east < -179 and south < north
