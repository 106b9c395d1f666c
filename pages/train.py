"""Train: a light decoder on the frozen embeddings, and its curves while it learns."""

from __future__ import annotations

import streamlit as st

from pages.ui.jobs import config_view
from pages.ui.look import errors, notices, style
from pages.ui.train import form as train_form
from pages.ui.train import panel as train_panel
from pages.ui.train import source as train_source
from pages.ui.train import terratorch_file

style.heading(
    "Train",
    "Teach a small decoder to map burn scars, severity, numbers or classes of your own, from frozen embeddings.",
)

with (
    st.container()
):  # keeps its place when it is empty, so that the form below never moves and is never seen twice
    train_panel.show_job()
terratorch_file.offer()
source = train_source.choose()
with st.container():
    notices.simulated(source.is_simulated)
    notices.random_weights(source.is_random)
left, right = st.columns([1.25, 1], gap="large")
with left, errors.in_words():
    config = train_form.settings(source)
with right:
    train_panel.start(config, source)
    with st.expander("The same without the browser", icon=":material/terminal:"):
        config_view.show(config, f"train-{config.head.name}", "train")
