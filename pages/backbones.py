"""Backbones: every encoder that can look, what it needs, and whether its weights are here."""

from __future__ import annotations

import streamlit as st

from pages.ui.backbones import view as backbones_view
from pages.ui.look import style
from pages.ui.state import session

style.heading(
    "Backbones",
    "Every encoder that can look at a scene: what it needs, what it gives, and where it comes from.",
)

backbones_view.downloads()
bands = backbones_view.bands_at_hand()
kept = backbones_view.filtered(bands)
if not kept:
    st.info("No backbone passes all filters. Loosen one of them.", icon=":material/filter_alt_off:")
    st.stop()
spec = backbones_view.table(kept, bands, session.place().title)
backbones_view.details(spec, bands)
