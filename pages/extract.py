"""Extract: choose a backbone, see its card and the cost, start, and watch."""

from __future__ import annotations

import streamlit as st

from pages.ui.backbones import card as backbone_card
from pages.ui.extract import form as extract_form
from pages.ui.extract import start as extract_start
from pages.ui.extract import terratorch_file  # fmt: skip
from pages.ui.jobs import config_view
from pages.ui.look import empty, errors, notices, style
from pages.ui.map import layers
from pages.ui.state import cached, session

style.heading(
    "Extract",
    "Send the region's pixels through a frozen backbone once; the embeddings that it makes are kept.",
)

with (
    st.container()
):  # keeps its place when it is empty, so that the form below never moves and is never seen twice
    extract_start.show_job()
place = session.place()
if not session.is_ready(place.scene):
    extract_start.stop_while_season_is_made(place.scene)
    empty.empty(
        "The fires of this place have not been made yet",
        "They are simulated. Explore makes them, and says how long that takes.",
        "To Explore",
        "pages/explore.py",
        "season",
    )
with errors.in_words():
    scenes = cached.scenes(place.scene)
    bands = layers.common_bands(scenes)

with st.container():
    notices.simulated(scenes[0].is_simulated)
left, right = st.columns([1.25, 1], gap="large")
with left:
    spec = extract_form.choose_backbone(scenes, bands, place)
    with st.container(border=True, key="backbone_card"):
        backbone_card.show(spec, bands)
    with errors.in_words():
        config = extract_form.settings(spec, scenes)
    terratorch_file.offer()
with right:
    notices.random_weights(config.backbone.weights == "random")
    extract_start.cost_and_start(config)
    with st.expander("The same without the browser", icon=":material/terminal:"):
        config_view.show(config, f"extract-{spec.name}", "extract")
