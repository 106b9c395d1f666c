"""Land and sea below the scenes: land where it is land, at every zoom."""

from __future__ import annotations

import json

import pytest
import shapely
from shapely.geometry import Point, shape

from pages.ui.map.routes import land, rendering

pytestmark = pytest.mark.skipif(not land.has_coast(), reason="the map libraries are not installed")


@pytest.mark.parametrize(
    ("lon", "lat", "kind"),
    [
        (-75.68, 37.75, "land"),  # Virginia's Eastern Shore, beside the sample scene
        (-123.04, 39.73, "land"),  # the first scene of the simulated season
        (-74.5, 37.2, "sea"),
        (-75.60, 37.58, "unsure"),  # barrier islands and marsh: a coast at 1:10 m does not know
        (9.0, 47.66, "land"),
        (179.99, 67.0, "land"),  # on both sides of the antimeridian
        (-179.99, 67.0, "land"),
        (179.5, 75.0, "sea"),
        (1.0, -80.0, "land"),
        (51.0, 41.5, "sea"),  # the Caspian Sea, a hole in the land
    ],
)
def test_a_place_is_land_sea_or_unsure_ground_along_the_coast(lon: float, lat: float, kind: str) -> None:
    drawn = _drawn(lon, lat)
    at = Point(lon, lat)
    is_land, is_unsure = (
        any(part.contains(at) for part in drawn.get(name, [])) for name in ("piece", "shore")
    )
    assert ("unsure" if is_unsure else "land" if is_land else "sea") == kind


def test_neighbouring_pieces_leave_no_seam() -> None:
    west, east = (
        shapely.union_all([*_parts(x, 24)["piece"]]) for x in (14, 15)
    )  # inland, across the United States
    assert west.intersects(east)
    assert shapely.union(west, east).geom_type == "Polygon"


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (64, 0), (0, 64)])
def test_a_piece_that_does_not_exist_is_not_looked_for(x: int, y: int) -> None:
    with pytest.raises(LookupError):
        land.piece(x, y)


def _drawn(lon: float, lat: float) -> dict[str, list[shapely.Geometry]]:
    tiles = [
        (x, y)
        for x in range(64)
        for y in range(64)
        if shapely.box(*rendering.tile_bounds(land.PIECE_ZOOM, x, y)).contains(Point(lon, lat))
    ]
    return _parts(*tiles[0])


def _parts(x: int, y: int) -> dict[str, list[shapely.Geometry]]:
    found: dict[str, list[shapely.Geometry]] = {}
    for feature in json.loads(land.piece(x, y))["features"]:
        found.setdefault(feature["properties"]["kind"], []).append(shape(feature["geometry"]))
    return found
