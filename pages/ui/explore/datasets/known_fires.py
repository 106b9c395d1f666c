"""Fires that are known by name: their days and where these are read, and a way to look at one in a catalogue."""

from __future__ import annotations

import streamlit as st

from engine.datasets.named_fires import NAMED_FIRES, NamedFire
from engine.imagery.region import Region
from engine.jobs.configuration.config import RegionConfig
from pages.ui.explore.catalogues import dialog as catalogue_dialog
from pages.ui.look import style, wording
from pages.ui.state import regions


def show() -> bool:
    """A list of fires, and what is known of the chosen one.

    Returns:
        Whether the dialog is left for a catalogue's.
    """
    fires = {one.name: one for one in NAMED_FIRES}
    name = st.selectbox("Fire", list(fires), format_func=lambda one: _words(fires[one]), key="known_fire")
    fire = fires[name]
    area = Region.from_bounds(*fire.bounds_lonlat).area_km2
    style.facts((("Began", str(fire.start)), ("Contained", str(fire.end)), ("Rectangle", wording.area(area))))
    st.caption(
        f"Days as stated by [{fire.source}]({fire.page}). The rectangle is drawn roughly around the burnt ground: it is no "
        f"perimeter, and holds no labels. For labels, get its perimeter from CAL FIRE, NIFC or MTBS and choose From fire perimeters."
    )
    if st.button(
        "Look at it in a catalogue", type="primary", icon=":material/satellite_alt:", key="known_look"
    ):
        regions.choose(RegionConfig(bounds_lonlat=fire.bounds_lonlat))
        catalogue_dialog.open_for_fire(fire.start, fire.end)
        return True
    return False


def _words(fire: NamedFire) -> str:
    return f"{fire.title}, {fire.country}, {fire.start.year}"
