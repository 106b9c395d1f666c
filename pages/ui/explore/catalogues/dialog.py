"""The dialog in which imagery of a catalogue becomes a place: where, when, which days; all of it told before anything is fetched."""

from __future__ import annotations

import datetime as dt

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.errors import ConfigError
from engine.imagery.catalogues.presets import Catalogue, Collection, catalogues
from engine.imagery.region import Region
from engine.imagery.remote.access import wants
from engine.imagery.sources.stac import StacScene
from pages.ui.explore.catalogues import sentinel_hub, taking
from pages.ui.explore.catalogues.sentinel_hub import Search
from pages.ui.look import errors, style, wording
from pages.ui.map import layers
from pages.ui.state import cached, regions, session

_OPEN, _ASKED = "catalogue_open", "catalogue_asked"
_USUAL_DAYS = 60


def offer() -> None:
    """The button that opens the dialog, and the dialog while it is open."""
    if st.button("From a catalogue", icon=":material/satellite_alt:", key="open_catalogue"):
        st.session_state[_OPEN] = True
        for asked in (_ASKED, sentinel_hub.ASKED):
            st.session_state.pop(asked, None)
    if st.session_state.get(_OPEN):
        _ask()


def open_for_fire(start: dt.date, end: dt.date) -> None:
    """Open the dialog in the next run, on the page's region and the days around a fire."""
    around = dt.timedelta(days=45)
    today = dt.datetime.now(dt.UTC).date()
    st.session_state[_OPEN] = True
    st.session_state["catalogue_from"] = start - around
    st.session_state["catalogue_to"] = min(end + around, today)
    st.session_state["catalogue_choice"], st.session_state["catalogue_fire"] = "after", end
    for asked in (_ASKED, sentinel_hub.ASKED):
        st.session_state.pop(asked, None)


def _dismissed() -> None:
    st.session_state[_OPEN] = False


@st.dialog("From a catalogue", width="large", on_dismiss=_dismissed)
def _ask() -> None:
    with errors.in_words(stop=False):
        if _ask_for_one():
            _dismissed()
            st.rerun()


def _ask_for_one() -> bool:
    """Whether a person uses what was found."""
    known = catalogues()
    titles = {name: one.title for name, one in known.items()} | {sentinel_hub.NAME: sentinel_hub.TITLE}
    left, right = st.columns(2)
    name = left.selectbox("Catalogue", list(titles), format_func=titles.__getitem__, key="catalogue_name")
    if name == sentinel_hub.NAME:
        right.selectbox("Product", ["Sentinel-2 L2A"], key="hub_product")
        sentinel_hub.needs()
        return sentinel_hub.ask(_form("Go on"))
    product = _product(right, known[name])
    found = _form("Search")
    if found is not None:
        bounds, dates, most = found
        st.session_state[_ASKED] = taking.scene_of(
            source="stac", catalogue=name, collection=product, bounds_lonlat=bounds, dates=dates, most_cloud_pct=most, choose="all",
        )  # fmt: skip
    asked = st.session_state.get(_ASKED)
    if isinstance(asked, StacScene):
        return taking.show(asked, known[asked.catalogue])
    taking.cache_words()
    return False


def _product(column: DeltaGenerator, catalogue: Catalogue) -> str:
    products = {one.id: one for one in catalogue.collections}
    name = column.selectbox(
        "Product", list(products), format_func=lambda one: products[one].title, key=f"catalogue_product_{catalogue.name}"
    )  # fmt: skip
    _needs(products[name])
    return name


def _form(label: str) -> Search | None:
    """Where, when and with how much cloud, once the button is pressed."""
    with st.form("catalogue_form", border=False):
        bounds = st.text_input(
            "West, south, east, north in degrees", _bounds_words(), key=f"catalogue_bounds_{regions.map_turn()}",
            help="The region of the page, or any other rectangle on Earth; scenes end there.",
        )  # fmt: skip
        first, last, cloud = st.columns([1, 1, 1.2])
        today = dt.datetime.now(dt.UTC).date()
        st.session_state.setdefault("catalogue_from", today - dt.timedelta(days=_USUAL_DAYS))
        st.session_state.setdefault("catalogue_to", today)
        limits = {"min_value": dt.date(1982, 1, 1), "max_value": today}
        since = first.date_input("From", key="catalogue_from", **limits)
        until = last.date_input("To", key="catalogue_to", **limits)
        most = cloud.slider("At most so much cloud (%)", 0, 100, 60, key="catalogue_cloud")
        if not st.form_submit_button(label, type="primary", icon=":material/search:", key="catalogue_search"):
            return None
    return _bounds(bounds), (since, until), most


def _needs(product: Collection) -> None:
    """What a person must have or know before choosing a product."""
    needs = wants(product.access)
    if needs:
        style.small(f"Its files want a login, which this server takes from its environment: {needs}.")
    if product.note:
        style.small(product.note)


def _bounds_words() -> str:
    chosen = regions.chosen()
    with errors.in_words(stop=False):
        bounds = (
            regions.checked(chosen).bounds_lonlat
            if chosen
            else layers.bounds_of(cached.scenes(session.place().scene))
        )
        return ", ".join(f"{edge:.4f}" for edge in bounds)
    return ""


def _bounds(text: str) -> tuple[float, float, float, float]:
    """Four numbers of a text.

    Raises:
        ConfigError: it holds others.
        RegionError: they are no rectangle on Earth, or too large a one.
    """
    try:
        west, south, east, north = (float(part) for part in text.replace(";", ",").split(","))
    except ValueError as err:
        raise ConfigError(
            f"{wording.plain(text)[:60] or 'Nothing'} is not four numbers. Type west, south, east, north in degrees."
        ) from err
    Region.from_bounds(west, south, east, north)
    return west, south, east, north
