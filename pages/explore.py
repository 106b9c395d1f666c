"""Explore: choose the place and the region to work on, and see what that will cost."""

from __future__ import annotations

import streamlit as st

from pages.ui.explore import region_panel
from pages.ui.look import errors, notices, palette, style
from pages.ui.map import layers, maps
from pages.ui.state import cached, regions

style.heading("Explore", "Choose a place, look at it in several bands, and draw the region to work on.")

toolbar = st.container(horizontal=True, vertical_alignment="center")
with toolbar:
    place = region_panel.choose_place()
region_panel.make_season_if_absent(place)
with errors.in_words():
    scenes = cached.scenes(place.scene)
    names = layers.composites_of(scenes)

notices.simulated(scenes[0].is_simulated)
left, right = st.columns([2.2, 1], gap="medium")
with toolbar:
    composite = st.segmented_control(
        "Bands",
        list(names),
        default=layers.best_of(scenes),
        required=True,
        key=f"explore_bands_{place.key}",
        label_visibility="collapsed",
    )
with left:
    with errors.in_words():
        shown = layers.imagery(scenes, composite)
    drawings = maps.draw(
        maps.View(
            key=f"explore_{place.key}_{regions.map_turn()}",
            bounds_lonlat=region_panel.in_sight(scenes),
            shown=tuple(shown),
            outlines=(*layers.outlines(scenes, palette.ASH), *region_panel.region_outline()),
            can_draw=True,
        )
    )
    if composite:
        st.caption(
            f"{composite}: {names[composite].words}. Each band is stretched between its 0.5th and 98.5th percentile."
        )
with right:
    region_panel.choose_region(drawings)
    region_panel.before_you_start(place)
