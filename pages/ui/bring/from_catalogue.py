"""Embeddings of a region and a year from a catalogue: what is there is told before anything of it is fetched."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import streamlit as st

from engine.errors import EngineError
from engine.imagery.region import Region
from engine.imagery.remote import cache
from engine.jobs.configuration.config import RegionConfig
from engine.jobs.job import submit
from engine.store.catalogues.job import catalogue_config
from engine.store.catalogues.offer import Offer, host_of, offer_of
from engine.store.catalogues.table import EmbeddingCatalogue, catalogue, catalogues
from engine.store.products.understood import NOT_STATED
from pages.ui import workspace
from pages.ui.bring import asked as asking
from pages.ui.bring import grounds, opening
from pages.ui.jobs import config_view
from pages.ui.look import errors, style, wording
from pages.ui.map import layers
from pages.ui.state import cached, regions, session

_WANTED = "bring_wanted"
_FIRST_YEAR = 1984


@dataclass(frozen=True)
class _Wanted:
    """What a catalogue is asked for."""

    catalogue: str
    region: RegionConfig
    year: int


def ask() -> None:
    """Which catalogue, which year, which ground; then what it has of them, and the button that fetches it."""
    try:
        wanted = _wanted()
    except EngineError as err:
        errors.tell(err)
        return
    known = catalogue(wanted.catalogue)
    if st.button("See what is there", key="bring_see", icon=":material/search:", type="primary"):
        st.session_state[_WANTED] = wanted
        _offered.clear()
    st.caption(
        f"{host_of(known)} is asked when you press this, and nothing of the embeddings is fetched yet. {_held()}"
    )
    if st.session_state.get(_WANTED) == wanted:
        try:
            with st.spinner(f"Asking {known.title}", show_time=True):
                offer = _offered(repr(wanted), wanted)
        except EngineError as err:
            st.session_state.pop(_WANTED)  # it is asked again when a person presses again, not at each click
            errors.tell(err)
            return
        _show(offer, wanted)


def _wanted() -> _Wanted:
    """What a person has chosen.

    Raises:
        EngineError: catalogues or corners that cannot be used.
    """
    known = catalogues()
    left, right = st.columns([2, 1])
    name = left.selectbox(
        "Catalogue", list(known), format_func=lambda one: known[one].title, key="bring_catalogue"
    )
    this_year = dt.datetime.now(dt.UTC).year
    year = right.number_input("Year", _FIRST_YEAR, this_year, this_year - 2, key="bring_year")
    style.small(_words(known[name]))
    return _Wanted(name, grounds.choose(_ground_of_place()), int(year))


def _words(known: EmbeddingCatalogue) -> str:
    product = known.product
    dim = f"{known.dim} dimensions a pixel of 10 m, " if known.dim else ""
    return (
        f"{product.title}: {dim}licence {product.licence or NOT_STATED}."
        if known.dim
        else "Its files tell model and licence."
    )


def _held() -> str:
    held = cache.usage()
    return f"What was fetched before ({wording.megabytes(held.used_bytes / 1e6)}) is used without a network."


def _ground_of_place() -> Region | None:
    """What the scenes of the place looked at cover."""
    place = session.place()
    try:
        if not place.scene.is_ready(workspace.folder()):
            return None
        return Region.from_bounds(*layers.bounds_of(cached.scenes(place.scene)))
    except EngineError:
        return None


@st.cache_data(show_spinner=False, max_entries=16, ttl=600)
def _offered(key: str, _asked: _Wanted) -> Offer:
    """What a catalogue has; asked again after ten minutes."""
    del key
    return offer_of(catalogue(_asked.catalogue), regions.checked(_asked.region), _asked.year)


def _show(offer: Offer, wanted: _Wanted) -> None:
    """What is there, and the ways to take it."""
    st.markdown("**What is there**")
    crs = ", ".join(sorted({one.crs for one in offer.placed if one.crs}))
    style.facts(
        (
            ("Embeddings", f"≤ {offer.rows:,}"), ("Files", wording.count(len(offer.placed), "file")),
            ("To be fetched", _to_fetch(offer)),
            ("The store takes", f"≈ {wording.megabytes(opening.bytes_of_rows(offer.rows, offer.dim or 1, 2) / 1e6)}"),
            ("Model", offer.product.model), ("Dimensions", f"{offer.dim:,}" if offer.dim else NOT_STATED),
            ("Years there", ", ".join(map(str, offer.years))), ("CRS", crs or "footprints"),
            ("Licence", offer.product.licence or NOT_STATED),
        ),
        small=True,
    )  # fmt: skip
    st.caption(
        wording.plain(f"Attribution, which will stand on the map: {offer.product.attribution or NOT_STATED}")
    )
    for note in offer.notes:
        st.caption(wording.plain(note))
    config = catalogue_config(offer, wanted.region)
    if st.button("Fetch them", type="primary", key="bring_fetch", icon=":material/cloud_download:"):
        with errors.in_words():
            asking.watch(submit(config, workspace.folder()).id)
            st.rerun()
    with st.expander("The same without the browser", icon=":material/terminal:"):
        config_view.show(config, f"{offer.catalogue.title} {offer.year}", "bring")


def _to_fetch(offer: Offer) -> str:
    total = wording.megabytes(offer.total / 1e6)
    if not offer.to_fetch:
        return f"nothing: all {total} are here"
    if not offer.is_partly_here:
        return total
    return f"{wording.megabytes(offer.to_fetch / 1e6)} of {total}; the rest is here"
