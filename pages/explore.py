"""Explore: choose the place and the region to work on, and see what that will cost."""

from __future__ import annotations

import streamlit as st

from pages.ui.explore.catalogues import offline_copy
from pages.ui.explore.region import panel
from pages.ui.explore.taking import film, geotiff
from pages.ui.jobs import scene_scores
from pages.ui.look import errors, notices, palette, style
from pages.ui.map import layers, maps, scene_gallery, stage, stretch
from pages.ui.state import address, cached, regions, session

page = stage.stage("Explore", "Choose a place, look at it in several bands, and draw the region to work on.")
with page.panel:
    place = panel.choose_place()
    panel.make_season_if_absent(place, page.map)
    with errors.in_words():
        scenes = cached.scenes(place.scene)
        names = layers.composites_of(scenes)
    notices.simulated(scenes[0].is_simulated)
    widget = f"explore_bands_{place.key}"
    address.restore("bands", widget, list(names), layers.best_of(scenes))
    composite = st.segmented_control(
        "Bands", list(names), required=True, key=widget, label_visibility="collapsed"
    )
    address.keep("bands", widget)
with page.map:
    with errors.in_words():
        scores = scene_scores.newest(place.scene, scenes)
        shown = scene_gallery.with_gallery(layers.imagery(scenes, composite), scenes, scores)
    drawings = maps.draw(
        maps.View(
            page="explore",
            key=f"explore_{place.key}_{regions.map_turn()}",
            bounds_lonlat=panel.in_sight(scenes),
            boxes=layers.boxes_of(scenes),
            focus=f"{session.place().key} {regions.map_turn()}",
            shown=tuple(shown),
            outlines=(*layers.outlines(scenes, palette.ASH), *panel.region_outline()),
            can_draw=True,
        )
    )
with page.panel:
    if composite:
        style.small(f"{composite}: {names[composite].words}. {stretch.in_words(scenes)}")
    panel.choose_region(drawings)
    panel.before_you_start(place)
    offline_copy.offer(place)
    geotiff.offer(place, scenes)
    film.offer(place, scenes, composite)
