"""Which ground a catalogue is asked for: the region of Explore, that of a store, or corners that a person types."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import streamlit as st

from engine.errors import BadInput, EngineError
from engine.imagery.region import Region
from engine.jobs.configuration.config import RegionConfig
from engine.store.footprints import footprints
from engine.store.store import FINISHED, EmbeddingStore
from pages.ui import workspace
from pages.ui.bring import drawing
from pages.ui.look import wording
from pages.ui.state import regions

_CORNERS = "By its corners"
_LAND = (-130.0, -45.0, 155.0, 65.0)
_EXPLORE, _STORE, _PLACE = (
    "The region chosen on Explore",
    "The ground of the store looked at",
    "The place looked at",
)


def choose(place: Region | None) -> RegionConfig:
    """The ground that a person chooses.

    Args:
        place: what the scenes of the place looked at cover; None where they are not known.

    Raises:
        EngineError: corners that are no region, or a region that cannot be used.
    """
    found = _known(place)
    chosen = st.selectbox(
        "Region", [*found, drawing.DRAWN, _CORNERS], key="bring_ground", help="The rectangle around a region is fetched.",
    )  # fmt: skip
    region = found.get(chosen) or (_drawn(found) if chosen == drawing.DRAWN else _typed(found))
    checked = regions.checked(region)
    west, south, east, north = checked.edges_lonlat
    st.caption(
        f"{wording.area(checked.area_km2)}: longitude {west:.4f} to {east:.4f}, latitude {south:.4f} to {north:.4f} degrees."
    )
    return region


def _known(place: Region | None) -> dict[str, RegionConfig]:
    found: dict[str, RegionConfig] = {}
    explored = regions.chosen()
    if explored is not None:
        with contextlib.suppress(EngineError):  # its file went away: Explore says so
            regions.checked(explored)
            found[_EXPLORE] = explored
    with contextlib.suppress(EngineError):
        bounds = _bounds_of_store()
        if bounds is not None:
            found[_STORE] = RegionConfig(bounds_lonlat=bounds)
    if place is not None:
        found[_PLACE] = RegionConfig(bounds_lonlat=place.edges_lonlat)
    return found


def _bounds_of_store() -> tuple[float, float, float, float] | None:
    """Around the tiles of the store that Embeddings shows; None where it shows none."""
    name = str(st.session_state.get("store_job") or "")
    folder = workspace.folder() / Path(name).name / FINISHED if name else None
    return None if folder is None or not folder.is_dir() else _bounds(str(folder), folder.stat().st_mtime)


@st.cache_data(show_spinner=False, max_entries=16)
def _bounds(folder: str, stamp: float) -> tuple[float, float, float, float]:
    del stamp
    tiles = [replace(tile, h=1, w=1) for tile in EmbeddingStore.open(Path(folder)).tiles]
    west, south, east, north = footprints(tiles).total_bounds
    return west, south, east, north


def _drawn(found: dict[str, RegionConfig]) -> RegionConfig:
    first = next(iter(found.values()), None)
    drawn = drawing.drawn("ground", _LAND if first is None else regions.checked(first).bounds_lonlat)
    if drawn is None:
        raise BadInput("Nothing is drawn yet. Draw a rectangle on the map.")
    return RegionConfig(bounds_lonlat=drawn.bounds_lonlat)


def _typed(found: dict[str, RegionConfig]) -> RegionConfig:
    first = next(iter(found.values()), None)
    words = "" if first is None else ", ".join(f"{edge:.4f}" for edge in regions.checked(first).edges_lonlat)
    typed = st.text_input(
        "West, south, east, north in degrees",
        words,
        key="bring_ground_corners",
        placeholder="-76.52, 37.05, -76.48, 37.09",
    )
    try:
        west, south, east, north = (float(number) for number in typed.replace(";", ",").split(","))
    except ValueError as err:
        raise BadInput("The corners are four numbers in degrees: west, south, east, north.") from err
    return RegionConfig(bounds_lonlat=Region.from_bounds(west, south, east, north).edges_lonlat)
