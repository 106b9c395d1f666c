"""A region in words: the name of a city, or an outline pasted as WKT or GeoJSON. Nothing is fetched."""

from __future__ import annotations

import streamlit as st

from engine.imagery.places import SOURCE, Place, find_places
from engine.imagery.region_file import region_from_text
from engine.jobs.configuration.config import RegionConfig
from pages.ui.look import errors
from pages.ui.state import regions

_SIDES_KM = (5, 10, 20, 50, 100)
_USUAL_KM = 20


def find_by_name() -> None:
    """A name, the places that have it, and a box around the chosen one."""
    words = st.text_input(
        "City", key="place_words", placeholder="Lisbon, or Valencia, Spain",
        help="Cities above 15,000 people, in English, their own language and others. Nothing is sent anywhere.",
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
