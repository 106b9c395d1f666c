"""Places by name without a network, and outlines pasted as text."""

from __future__ import annotations

import pytest
from shapely.geometry import Point, box

from engine.errors import RegionError
from engine.imagery.places import find_places, nearest_place
from engine.imagery.region_file import region_from_text


@pytest.mark.parametrize(
    ("words", "country", "lat", "lon"),
    [
        ("Lisbon", "Portugal", 38.72, -9.13),
        ("lisboa", "Portugal", 38.72, -9.13),
        ("Valencia, Spain", "Spain", 39.47, -0.38),
        ("Valencia, Venezuela", "Venezuela", 10.16, -68.0),
        ("zurich", "Switzerland", 47.37, 8.55),
        ("Zürich", "Switzerland", 47.37, 8.55),
        ("東京", "Japan", 35.69, 139.69),
        ("Redding", "CA, United States", 40.59, -122.39),
    ],
)  # fmt: skip
def test_a_city_is_found_by_its_names_in_several_languages(
    words: str, country: str, lat: float, lon: float
) -> None:
    place = find_places(words)[0]
    assert place.country == country
    assert abs(place.lat - lat) < 0.05
    assert abs(place.lon - lon) < 0.05


def test_places_of_one_name_are_all_listed_and_told_apart() -> None:
    found = find_places("San José")
    assert {"Costa Rica", "CA, United States"} <= {place.country for place in found}
    assert len({place.title for place in found}) == len(found)
    assert find_places("Springfield")[0].name == "Springfield"


@pytest.mark.parametrize(
    ("words", "said"), [("Xqzzzy<b>", "is known as"), ("a", "two letters"), (", Spain", "two letters")]
)
def test_words_that_name_no_place_are_told(words: str, said: str) -> None:
    with pytest.raises(RegionError, match=said):
        find_places(words)


@pytest.mark.parametrize("words", ["Lisbon", "Suva", "Tromsø", "Ushuaia"])
def test_the_box_is_a_square_on_the_ground_around_the_place(words: str) -> None:
    place = find_places(words)[0]
    region = place.region(20)
    assert region.polygon.contains(Point(place.lon, place.lat))
    assert abs(region.area_km2 - 400) < 8


@pytest.mark.parametrize(
    "text",
    [
        " POLYGON ((14 40, 14.5 40, 14.5 40.5, 14 40.5, 14 40))",
        "SRID=4326;POLYGON ((14 40, 14.5 40, 14.5 40.5, 14 40.5, 14 40))",
        '{"type": "Polygon", "coordinates": [[[14, 40], [14.5, 40], [14.5, 40.5], [14, 40.5], [14, 40]]]}',
        '{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": '
        "[[[14, 40], [14.5, 40], [14.5, 40.5], [14, 40.5], [14, 40]]]}}",
    ],
)
def test_an_outline_is_read_from_wkt_and_geojson(text: str) -> None:
    assert region_from_text(text).polygon.equals(box(14, 40, 14.5, 40.5))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("POINT (1 2)", "holds a Point"),
        ("POLYGON ((1 2, 3", "neither WKT nor GeoJSON"),
        ("SRID=32633;POLYGON ((14 40, 14.5 40, 14.5 40.5, 14 40))", "EPSG:32633"),
        ("POLYGON EMPTY", "empty"),
        ("{nothing}", "is not GeoJSON"),
        ("POLYGON ((500000 5200000, 510000 5200000, 510000 5210000, 500000 5200000))", "lon/lat degrees"),
    ],
)
def test_a_text_that_is_no_region_is_told(text: str, said: str) -> None:
    with pytest.raises(RegionError, match=said):
        region_from_text(text)


@pytest.mark.parametrize("words", ["Lisbon", "Suva", "Tromsø", "Ushuaia"])
def test_the_nearest_place_of_a_point_is_found_across_the_antimeridian(words: str) -> None:
    place = find_places(words)[0]
    found, km = nearest_place(place.lat, place.lon + 360)
    assert (found, round(km, 3)) == (place, 0.0)
    _, away = nearest_place(place.lat + 0.02, place.lon)
    assert 0 < away < 2.3
