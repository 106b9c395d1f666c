"""A film of the dates of a place, in the bands that Explore shows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from engine.files import slug
from engine.imagery.scene import Scene, fingerprint
from engine.imagery.sources.series import is_series
from engine.views.films.imagery_film import write_imagery_film
from pages.ui.look import errors, film, wording
from pages.ui.map import layers
from pages.ui.state import regions, session

_MADE = "explore_film"
_SECONDS = (0.5, 1.0, 2.0)


def offer(place: session.Place, scenes: Sequence[Scene], composite: str | None) -> None:
    """The dates of a series one after another, all in one stretch; nothing where the place is no series."""
    if place.scene.overlaps or not is_series(scenes):
        return
    st.subheader("Film of the dates", anchor=False)
    days = sorted({f"{one.datetime:%Y-%m-%d}" for one in scenes if one.datetime})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seconds = float(
            st.selectbox(
                "Seconds a date", _SECONDS, 1, key="film_seconds", format_func=lambda value: f"{value:g}"
            )
        )
        wanted = st.button(
            f"Make a film of {wording.count(len(days), 'date')}", key="film_make", icon=":material/movie:"
        )
    region = regions.chosen()
    bands = layers.composites_of(scenes)[composite].bands if composite else None
    of = repr((place.key, [fingerprint(one) for one in scenes], region, bands, seconds))
    if wanted:
        with (
            st.spinner("Reading all dates on one grid."),
            errors.in_words(stop=False),
            tempfile.TemporaryDirectory() as room,
        ):
            made = write_imagery_film(
                scenes, Path(room) / "film.webp", seconds, bands, regions.checked(region) if region else None
            )
            st.session_state[_MADE] = (of, made.path.read_bytes())
    held = st.session_state.get(_MADE)
    if held and held[0] == of:
        name = f"{slug(place.title, most=60)}-{days[0]}-to-{days[-1]}.webp"
        film.show(
            held[1], name, f"{place.title}, {len(days)} dates from {days[0]} to {days[-1]}", "film_download"
        )
