"""Regions are checked at the door, and say what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import RegionError
from engine.imagery.geobox import utm_or_polar_crs
from engine.imagery.region import MAX_AREA_KM2, Region


def test_a_degree_at_the_equator_has_the_area_of_the_ellipsoid() -> None:
    # One degree square at the equator on WGS 84 is about 111.32 km by 110.57 km.
    region = Region.from_bounds(10.0, 0.0, 11.0, 1.0)
    assert region.area_km2 == pytest.approx(111.32 * 110.57, rel=2e-3)


@pytest.mark.parametrize(
    ("lon", "lat", "crs"),
    [(-75.5, 36.7, "EPSG:32618"), (20.05, -32.95, "EPSG:32734"), (238.0, 40.0, "EPSG:32610"),
     (10.0, 85.0, "EPSG:32661"), (10.0, -85.0, "EPSG:32761")],
)  # fmt: skip
def test_a_place_has_its_utm_zone_and_the_poles_have_polar_stereographic(
    lon: float, lat: float, crs: str
) -> None:
    assert utm_or_polar_crs(lon, lat) == crs


def test_a_region_with_longitudes_to_360_is_the_same_region() -> None:
    west = Region.from_bounds(-122.0, 40.0, -121.9, 40.1)
    assert Region.from_bounds(238.0, 40.0, 238.1, 40.1).polygon.equals(west.polygon)


@pytest.mark.parametrize("bounds", [(179.9, -17.0, -179.9, -16.9), (179.9, -17.0, 180.1, -16.9)])
def test_a_region_over_the_antimeridian_has_two_parts(bounds: tuple[float, float, float, float]) -> None:
    region = Region.from_bounds(*bounds)
    assert [part.bounds for part in region.polygon.geoms] == [
        pytest.approx((-180.0, -17.0, -179.9, -16.9)), pytest.approx((179.9, -17.0, 180.0, -16.9))
    ] or [part.bounds[2] for part in region.polygon.geoms] == [180.0, pytest.approx(-179.9)]  # fmt: skip
    inland = Region.from_bounds(10.0, -17.0, 10.2, -16.9)
    assert region.area_km2 == pytest.approx(inland.area_km2, rel=1e-6)


@pytest.mark.parametrize(
    ("bounds", "word"),
    [
        ((400_000.0, 4_000_000.0, 401_000.0, 4_001_000.0), "metres"),
        ((10.0, 5.0, 9.0, 6.0), "west < east"),
        ((10.0, 5.0, 11.0, 5.0), "west < east"),
        ((0.0, 0.0, 9.0, 9.0), f"{MAX_AREA_KM2:,.0f}"),
    ],
)
def test_bounds_that_cannot_be_meant_are_refused(
    bounds: tuple[float, float, float, float], word: str
) -> None:
    with pytest.raises(RegionError, match=word):
        Region.from_bounds(*bounds)


def test_a_self_crossing_polygon_is_refused_with_the_place_of_the_crossing() -> None:
    bow_tie = [(0.0, 0.0), (0.1, 0.1), (0.1, 0.0), (0.0, 0.1)]
    with pytest.raises(RegionError, match=r"crosses or touches itself.*Self-intersection"):
        Region.from_polygon(bow_tie)


def test_a_feature_collection_with_one_polygon_reads_as_that_polygon(tmp_path: Path) -> None:
    polygon = {"type": "Polygon", "coordinates": [[[0, 0], [0.1, 0], [0.1, 0.1], [0, 0]]]}
    path = tmp_path / "aoi.geojson"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": polygon}]})
    )
    assert Region.from_file(path).bounds_lonlat == (0.0, 0.0, 0.1, 0.1)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"type": "Point", "coordinates": [0, 0]}', '{"type": "Polygon"}',
     '{"type": "FeatureCollection", "features": []}'],
)  # fmt: skip
def test_a_file_without_one_polygon_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "aoi.geojson"
    path.write_text(text)
    with pytest.raises(RegionError):
        Region.from_file(path)
