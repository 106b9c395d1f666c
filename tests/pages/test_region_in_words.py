"""A region by the name of a city, and one pasted as text, on the Explore page."""

from __future__ import annotations

from shapely.geometry import Point, Polygon

from engine.jobs.configuration.config import RegionConfig
from engine.jobs.configuration.region import region_of
from pages.ui.state import recent_regions
from tests.pages.conftest import OpenPage


def test_a_city_becomes_a_box_around_it(open_page: OpenPage) -> None:
    at = open_page("explore")
    at.segmented_control(key="region_way").set_value("Find a place").run()
    at.text_input(key="place_words").set_value("Nowhere<b>at all").run()
    assert "Nowhere" in at.warning[0].value
    at.text_input(key="place_words").set_value("Valencia").run()
    options = at.selectbox(key="place_found").options
    assert any("Spain" in one for one in options)
    assert any("Venezuela" in one for one in options)
    at.selectbox(key="place_found").set_value(at.selectbox(key="place_found").value).run()
    at.button(key="use_place").click().run()
    assert not at.exception
    found = region_of(at.session_state["region"])
    assert found is not None
    assert abs(found.area_km2 - 400) < 8
    assert found.polygon.contains(Point(-68.0, 10.16)) or found.polygon.contains(Point(-0.38, 39.47))


def test_a_pasted_outline_becomes_the_region(open_page: OpenPage) -> None:
    at = open_page("explore")
    at.segmented_control(key="region_way").set_value("Paste").run()
    at.text_area(key="region_text").set_value("POINT (1 2)")
    at.button(key="use_text").click().run()
    assert "a region is a polygon" in at.warning[0].value
    at.text_area(key="region_text").set_value("POLYGON ((-75.7 37.6, -75.6 37.6, -75.6 37.7, -75.7 37.6))")
    at.button(key="use_text").click().run()
    assert not at.exception
    found = region_of(at.session_state["region"])
    assert found is not None
    assert found.polygon.equals(Polygon([(-75.7, 37.6), (-75.6, 37.6), (-75.6, 37.7)]))


def test_a_region_that_was_used_can_be_chosen_again(open_page: OpenPage) -> None:
    at = open_page("explore", region="-75.70000,37.60000,-75.60000,37.70000")
    at.segmented_control(key="region_way").set_value("Recent").run()
    assert "use_recent" not in [one.key for one in at.button]
    recent_regions.remember(at.session_state["region"])
    recent_regions.remember(RegionConfig(bounds_lonlat=(14.0, 40.0, 14.1, 40.1)))
    recent_regions.remember(at.session_state["region"])
    at.run()
    titles = at.selectbox(key="region_recent").options
    assert len(titles) == 2
    assert "United States" in titles[0]
    assert "Italy" in titles[1]
    at.selectbox(key="region_recent").set_value(recent_regions.listed()[1]).run()
    at.button(key="use_recent").click().run()
    assert at.session_state["region"].bounds_lonlat == (14.0, 40.0, 14.1, 40.1)
