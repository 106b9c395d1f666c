"""A region in words: the name of a place, an outline pasted as WKT or GeoJSON, or one that was used before."""

from __future__ import annotations

import streamlit as st

from engine.errors import RegionError
from engine.imagery.catalogues.places_online import SOURCE as ONLINE
from engine.imagery.catalogues.places_online import OnlinePlace, find_places_online
from engine.imagery.places import SOURCE, Place, find_places
from engine.imagery.region_file import region_from_text
from engine.jobs.configuration.config import RegionConfig
from pages.ui.look import errors, wording
from pages.ui.state import recent_regions, regions

_SIDES_KM = (5, 10, 20, 50, 100)
_USUAL_KM = 20
_ASKED = "place_asked_online"


def find_by_name() -> None:
    """A name, the places that have it, and a box around the chosen one; asked of the web only by a button."""
    words = st.text_input(
        "Place", key="place_words", placeholder="Lisbon, or Valencia, Spain",
        help="Cities above 15,000 people are known here, in English, their own language and others. Nothing is sent anywhere "
        "unless you press the button for the web.",
    ).strip()  # fmt: skip
    if not words:
        st.caption(f"Known without a network: {SOURCE}.")
        return
    with errors.in_words(stop=False):
        found = find_places(words)
        place = st.selectbox("Which one", found, format_func=lambda one: one.title, key="place_found")
        side_km = st.select_slider(
            "Side of the box (km)",
            _SIDES_KM,
            value=_USUAL_KM,
            key="place_side",
            help="The place is in its middle.",
        )
        if st.button("Use this box", key="use_place", icon=":material/location_on:", width="stretch"):
            _choose(place, side_km)
    _find_online(words)


def _find_online(words: str) -> None:
    """Smaller places, mountains and parks, from OpenStreetMap."""
    if st.button(
        "Search the web for it", key="place_online", icon=":material/travel_explore:", width="stretch",
        help="Sends these words to nominatim.openstreetmap.org, which knows villages, mountains and parks as well.",
    ):  # fmt: skip
        st.session_state[_ASKED] = words
    if st.session_state.get(_ASKED) != words:
        return
    with errors.in_words(stop=False):
        with st.spinner("Asking OpenStreetMap", show_time=True):
            found = _online(words)
        place = st.selectbox("Found", found, format_func=lambda one: one.title, key="place_found_online")
        st.caption(f"{_area(place)} {ONLINE}")
        if st.button("Use its box", key="use_place_online", icon=":material/location_on:", width="stretch"):
            place.region()  # says what is too large
            regions.choose(RegionConfig(bounds_lonlat=place.bounds_lonlat))
            st.rerun()


def _area(place: OnlinePlace) -> str:
    try:
        return f"Its box has {wording.area(place.region().area_km2)}."
    except RegionError as err:
        return wording.told(str(err))


@st.cache_data(show_spinner=False, max_entries=64, ttl=3600)
def _online(words: str) -> tuple[OnlinePlace, ...]:
    return find_places_online(words)


def choose_recent() -> None:
    """The regions that were used last in this workspace."""
    found = recent_regions.listed()
    if not found:
        st.caption("A region is listed here once it has been used for an extraction.")
        return
    one = st.selectbox("Used before", found, format_func=lambda one: one.title, key="region_recent")
    if st.button("Use this region again", key="use_recent", icon=":material/history:", width="stretch"):
        regions.choose(regions.from_words(one.words))
        st.rerun()


def paste() -> None:
    """An outline as text."""
    with st.form("paste_form", border=False):
        text = st.text_area(
            "Outline in longitude and latitude", key="region_text", height=120, max_chars=200_000,
            placeholder="POLYGON ((14.2 40.7, 14.5 40.7, 14.5 40.9, 14.2 40.7))",
            help="WKT or GeoJSON: one polygon, with holes and parts if need be.",
        )  # fmt: skip
        if st.form_submit_button("Use this outline", key="use_text", width="stretch") and text.strip():
            with errors.in_words(stop=False):
                regions.choose(regions.of_outline(region_from_text(text)))
                st.rerun()


def _choose(place: Place, side_km: int) -> None:
    bounds = place.region(side_km).bounds_lonlat
    regions.choose(RegionConfig(bounds_lonlat=bounds))
    st.rerun()
