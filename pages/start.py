"""Start: what this is, four ways in, and the steps from a satellite image to a map of a burn scar."""

from __future__ import annotations

import streamlit as st

from pages.ui.look import style
from pages.ui.start import example, guide_list, ways_in

left, right = st.columns([1, 1.25], gap="large", vertical_alignment="center")
with left:
    style.heading(
        "Map burn scars from satellite images",
        "A frozen vision backbone turns the images into embeddings once; a small decoder then learns from these to map where "
        "it burned. All of it runs on this machine.",
    )
with right:
    example.show()
ways_in.show()
st.subheader("From an image to a map, step by step", anchor=False)
guide_list.show()
