"""The dialog in which imagery of a catalogue becomes a place: where, when, which days; all of it told before anything is fetched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st
from pydantic import ValidationError

from engine.errors import ConfigError
from engine.imagery.catalogues.choosing import Day, days_of
from engine.imagery.catalogues.presets import Catalogue, Collection, catalogues
from engine.imagery.region import Region
from engine.imagery.remote import cache
from engine.imagery.remote.access import wants
from engine.imagery.sources.stac import CHOICES, Choice, StacScene
from engine.jobs.complaints import in_words
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig
from pages.ui.explore import catalogue_days
from pages.ui.jobs import config_view
from pages.ui.look import errors, style, wording
from pages.ui.map import layers
from pages.ui.state import cached, own_places, regions, session

_OPEN, _ASKED = "catalogue_open", "catalogue_asked"
_WORDS: dict[Choice, str] = {
    "best": "Best day", "pair": "Before and after", "after": "After", "before": "Before", "monthly": "Each month",
    "mosaic": "Fill the gaps", "all": "Every day",
}  # fmt: skip
_OF_A_FIRE = ("before", "after", "pair")
_USUAL_DAYS = 60


def offer() -> None:
    """The button that opens the dialog, and the dialog while it is open."""
    if st.button("From a catalogue", icon=":material/satellite_alt:", key="open_catalogue"):
        st.session_state[_OPEN] = True
        st.session_state.pop(_ASKED, None)
    if st.session_state.get(_OPEN):
        _ask()


def _dismissed() -> None:
    st.session_state[_OPEN] = False


@st.dialog("From a catalogue", width="large", on_dismiss=_dismissed)
def _ask() -> None:
    with errors.in_words(stop=False):
        known = catalogues()
        wanted = _form(known)
        if wanted is not None:
            st.session_state[_ASKED] = wanted
        asked = st.session_state.get(_ASKED)
        if isinstance(asked, StacScene):
            _show(asked, known[asked.catalogue])
        else:
            _cache_words()


def _form(known: dict[str, Catalogue]) -> StacScene | None:
    """Where, when and which product; a search without days chosen, once it is asked for."""
    left, right = st.columns(2)
    name = left.selectbox(
        "Catalogue", list(known), format_func=lambda one: known[one].title, key="catalogue_name"
    )
    products = {one.id: one for one in known[name].collections}
    product = right.selectbox(
        "Product",
        list(products),
        format_func=lambda one: products[one].title,
        key=f"catalogue_product_{name}",
    )
    _needs(products[product])
    with st.form("catalogue_form", border=False):
        bounds = st.text_input(
            "West, south, east, north in degrees", _bounds_words(), key=f"catalogue_bounds_{regions.map_turn()}",
            help="The region of the page, or any other rectangle on Earth; scenes end there.",
        )  # fmt: skip
        first, last, cloud = st.columns([1, 1, 1.2])
        today = dt.datetime.now(dt.UTC).date()
        since = first.date_input(
            "From", today - dt.timedelta(days=_USUAL_DAYS), dt.date(1982, 1, 1), today, key="catalogue_from"
        )
        until = last.date_input("To", today, dt.date(1982, 1, 1), today, key="catalogue_to")
        most = cloud.slider("At most so much cloud (%)", 0, 100, 60, key="catalogue_cloud")
        if not st.form_submit_button(
            "Search", type="primary", icon=":material/search:", key="catalogue_search"
        ):
            return None
    return _scene(
        source="stac", catalogue=name, collection=product, bounds_lonlat=_bounds(bounds), dates=(since, until),
        most_cloud_pct=most, choose="all",
    )  # fmt: skip


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


def _scene(**said: object) -> StacScene:
    try:
        return StacScene.model_validate(said)
    except ValidationError as err:
        raise ConfigError(f"The search cannot be made: {in_words(err, StacScene)}.") from err


def _show(asked: StacScene, catalogue: Catalogue) -> None:
    """What was found, the choice of days, what it will take, and the way to use it."""
    with st.spinner(f"Searching {catalogue.title}", show_time=True):
        days = _days(asked.model_dump_json(), asked)
    if not days:
        st.info(
            "Nothing was seen here in these days with so little cloud. Choose more days, or allow more cloud.",
            icon=":material/search_off:",
        )
        return
    chosen = _choose(asked)
    taken, notes = chosen.chosen(days) if chosen is not None else ([], [])
    catalogue_days.timeline(days, taken, chosen.fire_date if chosen else None)
    catalogue_days.pictures(taken or days[:6], catalogue.collection(asked.collection).access)
    if chosen is None:
        st.caption("Say on which day the fire was, to take the days before and after it.")
        return
    for note in notes:
        st.warning(wording.plain(note), icon=":material/info:")
    _take(chosen, taken, catalogue)


@st.cache_data(show_spinner=False, max_entries=32, ttl=600)
def _days(key: str, _asked: StacScene) -> tuple[Day, ...]:
    """The days of a search; asked again after ten minutes."""
    del key
    return days_of(_asked.found(), _asked.region)


def _choose(asked: StacScene) -> StacScene | None:
    """The same search with days chosen; None where the day of the fire is not said yet."""
    choice = st.segmented_control(
        "Days",
        list(_WORDS),
        default="best",
        required=True,
        key="catalogue_choice",
        format_func=lambda one: _WORDS[one],
    )
    style.small(f"{CHOICES[choice][0].upper()}{CHOICES[choice][1:]}.")
    fire = None
    if choice in _OF_A_FIRE:
        fire = st.date_input("Day of the fire", None, asked.dates[0], asked.dates[1], key="catalogue_fire")
        if fire is None:
            return None
    return _scene(**{**asked.model_dump(), "choose": choice, "fire_date": fire})


def _take(chosen: StacScene, taken: Sequence[Day], catalogue: Catalogue) -> None:
    """What it takes, the name, and the button that makes it the place looked at."""
    product = catalogue.collection(chosen.collection)
    style.facts(catalogue_days.facts_of(chosen, taken, product))
    _cache_words()
    title = st.text_input(
        "Name of the place", own_places.free_title(f"{product.title}, {_when(taken)}", chosen), key=f"catalogue_title_{chosen.choose}",
        max_chars=own_places.LONGEST_TITLE,
    )  # fmt: skip
    backbone = session.usual_backbone(list(product.bands.values()))
    if st.button("Use it", type="primary", key="catalogue_use", icon=":material/check:"):
        with st.spinner("Reading the headers of its files", show_time=True):
            cached.scenes(chosen)
        session.set_place(own_places.keep(title, chosen, backbone))
        _dismissed()
        st.rerun()
    with st.expander("The same without the browser", icon=":material/terminal:"):
        config_view.show(
            ExtractConfig(scene=chosen, backbone=BackboneConfig(name=backbone)), title, "catalogue"
        )


def _when(taken: Sequence[Day]) -> str:
    return str(taken[0].day) if len(taken) == 1 else f"{taken[0].day} to {taken[-1].day}"


def _cache_words() -> None:
    held = cache.usage()
    style.small(
        f"What is read stays on this server: {wording.megabytes(held.used_bytes / 1e6)} of "
        f"{wording.megabytes(held.limit_bytes / 1e6)}, from {wording.count(held.rasters, 'file')}. It can be used without a network."
    )
