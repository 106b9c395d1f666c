"""A page that is a map: the map fills the window, and a panel that folds away lies over it (below it on a telephone)."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.look import style


@dataclass(frozen=True)
class Stage:
    """Where the parts of a map page are drawn; assets/page/page.css puts them in their places.

    Attributes:
        map: fills the window.
        panel: choices and facts, over the left side of the map.
        legend: what the colours mean, at the foot of the map.
    """

    map: DeltaGenerator
    panel: DeltaGenerator
    legend: DeltaGenerator


def stage(title: str, lead: str) -> Stage:
    """The parts of a map page, with its heading in the panel."""
    ground = st.container(key="map_stage")
    legend = st.container(key="map_legend")
    with st.container(key="map_panel"):
        panel = st.expander(title, expanded=True, key="map_fold")
    with panel:
        style.heading(title, lead)
    return Stage(ground, panel, legend)
