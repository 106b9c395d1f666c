"""Choosing a place and a region, with area, tiles, megabytes and minutes before anything starts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.backbones import cards
from engine.errors import EngineError
from engine.imagery.scene import Scene
from engine.imagery.simulation.location import MOST_CHIPS
from engine.imagery.sources.simulated import season_folder
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    RegionConfig,
    SimulatedScene,
    TilesConfig,
)
from engine.paths import PROJECT
from pages.ui import workspace
from pages.ui.explore import own_dialog, own_drop, own_list
from pages.ui.explore.catalogues import dialog as catalogue_dialog
from pages.ui.explore.datasets import dialog as datasets_dialog
from pages.ui.explore.region import words
from pages.ui.jobs import cost
from pages.ui.look import errors, palette, style, wording
from pages.ui.map import layers, maps
from pages.ui.map.maps import Bounds, Outline
from pages.ui.state import cached, recent_regions, region_upload, regions, session

# Around a chosen region the map shows this share of its side besides.
_MARGIN = 0.35
_LARGEST_REGION_MB = 50
# Of a simulated place, measured on two cores: 12 places of version 2 took 4 s and 18 MB.
_MB_A_PLACE, _S_A_PLACE = 1.5, 0.35


def choose_place() -> session.Place:
    """The places as a row of choices, and a way to open one's own."""
    places = {found.key: found for found in session.places()}
    st.session_state["explore_place"] = session.place().key
    st.segmented_control(
        "Place", list(places), required=True, key="explore_place", format_func=lambda key: places[key].title,
        label_visibility="collapsed", on_change=_take_place,
    )  # fmt: skip
    own_drop.offer()
    with st.container(horizontal=True):
        own_list.offer()
        own_dialog.offer()
        catalogue_dialog.offer()
        datasets_dialog.offer()
    return session.place()


def _take_place() -> None:
    session.set_place(st.session_state["explore_place"])


def make_season_if_absent(place: session.Place, ground: DeltaGenerator) -> None:
    """Offer to simulate the fires of a place where they are not on this machine; ends the page then.

    Args:
        ground: where the page's map stands; it shows the scar that comes with the app.
    """
    if session.is_ready(place.scene) or not isinstance(place.scene, SimulatedScene):
        return
    with ground, errors.in_words():
        _show_first_scar()
    chips = place.scene.chips or MOST_CHIPS
    with st.container(border=True):
        st.subheader("These fires have not been made yet", anchor=False)
        st.write(
            f"{chips} simulated places with labelled burn scars, about {_MB_A_PLACE * chips:.0f} MB, made once in about "
            f"{wording.duration(_S_A_PLACE * chips)}. Until then the map shows a simulated scar that comes with the app."
        )
        if st.button(
            "Make them now", type="primary", key="make_season", icon=":material/local_fire_department:"
        ):
            _make_season(place.scene, chips)
    st.stop()


def _show_first_scar() -> None:
    scenes = cached.scenes(session.FIRST.scene)
    maps.draw(
        maps.View(
            page="explore", key="explore_not_made", focus="not made", bounds_lonlat=layers.opening(scenes),
            boxes=layers.boxes_of(scenes), shown=tuple(layers.imagery(scenes, layers.best_of(scenes))),
        )
    )  # fmt: skip


def in_sight(scenes: Sequence[Scene]) -> Bounds:
    """What the map opens on, the same until it is made anew: a drawing must not move the ground below it."""
    turn = (session.place().key, regions.map_turn())
    held = st.session_state.get("explore_in_sight")
    if held is None or held[0] != turn:
        held = st.session_state["explore_in_sight"] = (turn, _opening(scenes))
    bounds: Bounds = held[1]
    return bounds


def _opening(scenes: Sequence[Scene]) -> Bounds:
    """The region with a margin, else the scenes (of a wide season, its first)."""
    chosen = regions.chosen()
    if chosen is not None:
        try:
            west, south, east, north = regions.checked(chosen).bounds_lonlat
        except EngineError:
            return layers.bounds_of(scenes)
        x, y = _MARGIN * (east - west), _MARGIN * (north - south)
        return west - x, south - y, east + x, north + y
    return layers.opening(scenes)


def region_outline() -> tuple[Outline, ...]:
    """The chosen region as a line on the map."""
    chosen = regions.chosen()
    try:
        return (Outline(regions.checked(chosen).polygon, "Region", palette.EMBER, 2.5),) if chosen else ()
    except EngineError:
        return ()


def choose_region(drawings: list[dict[str, Any]]) -> None:
    """Draw, find, type, paste or upload; what was done last holds."""
    st.subheader("Region", anchor=False)
    _take_drawing(drawings)
    way = st.segmented_control(
        "How", ["Draw", "Find a place", "Type bounds", "Paste", "A file", "Recent"], default="Draw", required=True,
        key="region_way", label_visibility="collapsed",
    )  # fmt: skip
    if way == "Type bounds":
        _type_bounds()
    elif way == "A file":
        _upload()
    elif way == "Find a place":
        words.find_by_name()
    elif way == "Recent":
        words.choose_recent()
    elif way == "Paste":
        words.paste()
    else:
        st.caption(
            "Use the rectangle or the polygon on the right of the map. Without a region, everything is used."
        )
    style.small(f"Now: {regions.in_words()}.")
    if regions.chosen() is not None and st.button(
        "Use everything instead", key="clear_region", icon=":material/close:"
    ):
        regions.choose(None)
        st.rerun()


def before_you_start(place: session.Place) -> None:
    """What an extraction here takes, and the way to it."""
    st.subheader("Before you start", anchor=False)
    overlap_px = cost.usual_overlap_px(cards.card(place.backbone), cached.scenes(place.scene))
    config = ExtractConfig(
        scene=place.scene, region=regions.chosen(), backbone=BackboneConfig(name=place.backbone),
        tiles=TilesConfig(overlap_px=overlap_px),
    )  # fmt: skip
    with errors.in_words(stop=False):
        cost.show(config)
        is_baseline = place.backbone == session.LOOKING
        what = "a baseline without pretraining" if is_baseline else "the backbone that suits this place"
        st.caption(f"With {place.backbone}, {what}; another can be chosen next.")
        label = "Use this region" if regions.chosen() is not None else "Use everything here"
        if st.button(
            label, type="primary", key="use_region", icon=":material/arrow_forward:", width="stretch"
        ):
            recent_regions.remember(regions.chosen())
            st.switch_page("pages/extract.py", query_params={})


def _take_drawing(drawings: list[dict[str, Any]]) -> None:
    """Take a new drawing as the region; one that was seen before is not taken twice."""
    newest = json.dumps(drawings[-1]["geometry"]) if drawings else ""
    if not newest or newest == st.session_state.get("drawing_seen"):
        return
    st.session_state["drawing_seen"] = newest
    corners = drawings[-1]["geometry"].get("coordinates", [[]])[0]
    with errors.in_words(stop=False):
        chosen = RegionConfig(polygon_lonlat=tuple((float(x), float(y)) for x, y, *_ in corners[:-1]))
        regions.checked(chosen)
        regions.choose(chosen, is_drawn=True)


def _type_bounds() -> None:
    chosen = regions.chosen()
    try:
        held = (
            regions.checked(chosen).bounds_lonlat
            if chosen
            else layers.bounds_of(cached.scenes(session.place().scene))
        )
    except EngineError:
        held = (-180.0, -80.0, 180.0, 84.0)
    with st.form("bounds_form", border=False):
        left, right = st.columns(2)
        west = left.number_input("West (° lon)", -180.0, 180.0, held[0], 0.01, "%.4f", key="bounds_west")
        east = right.number_input("East (° lon)", -180.0, 180.0, held[2], 0.01, "%.4f", key="bounds_east")
        south = left.number_input("South (° lat)", -90.0, 90.0, held[1], 0.01, "%.4f", key="bounds_south")
        north = right.number_input("North (° lat)", -90.0, 90.0, held[3], 0.01, "%.4f", key="bounds_north")
        if st.form_submit_button("Apply bounds", key="apply_bounds", width="stretch"):
            with errors.in_words(stop=False):
                typed = RegionConfig(bounds_lonlat=(west, south, east, north))
                regions.checked(typed)
                regions.choose(typed)
                st.rerun()


def _upload() -> None:
    files = st.file_uploader(
        "One polygon, with holes and parts if need be: GeoJSON, KML, GeoPackage, FlatGeobuf, GeoParquet, or a Shapefile (zipped, "
        "or all of its files)", type=list(region_upload.ENDINGS), key="region_file", accept_multiple_files=True,
        max_upload_size=_LARGEST_REGION_MB,
    )  # fmt: skip
    given = [file.file_id for file in files]
    if not files or st.session_state.get("upload_seen") == given:
        return
    with errors.in_words(stop=False):
        regions.choose(regions.of_upload([(file.name, file.getvalue()) for file in files]))
        st.session_state["upload_seen"] = given  # only now: a message stays as long as its file lies there
        st.rerun()


def _make_season(scene: SimulatedScene, chips: int) -> None:
    folder = season_folder(scene.seed, workspace.folder(), scene.chips)
    command = [
        sys.executable,
        "-m",
        "engine",
        "simulate",
        "--out",
        str(folder),
        "--seed",
        str(scene.seed),
        "--chips",
        str(chips),
    ]
    with st.spinner(f"Simulating {chips} places.", show_time=True):
        made = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if made.returncode:
        st.error(
            wording.plain(
                made.stderr.strip().splitlines()[-1] if made.stderr else "The simulation ended early."
            )
        )
        return
    st.rerun()
