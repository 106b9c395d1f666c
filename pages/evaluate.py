"""Evaluate: how good the map is on places that the training never saw."""

from __future__ import annotations

import streamlit as st

from pages.ui.evaluate import error_map
from pages.ui.evaluate import view as evaluate_view
from pages.ui.jobs import chosen_run
from pages.ui.look import empty, errors, notices, style
from pages.ui.state import results

style.heading("Evaluate", "Scores on places that the decoder never saw, and its map beside the labels.")

runs = results.trainings()
chosen_run.require("train", runs)
if not runs:
    empty.empty(
        "Nothing to judge yet", "A training ends with one look at its test places; the scores then stand here.", "Train a decoder",
        "pages/train.py", "train",
    )  # fmt: skip
chosen = evaluate_view.choose_run(runs)
with errors.in_words():
    run = evaluate_view.open_run(chosen)
    notices.simulated(run.decoder.is_simulated)
    notices.random_weights(run.decoder.is_random)
    evaluate_view.headline(run)
    left, right = st.columns([2, 1], gap="medium")
    with left:
        error_map.show(run, chosen.job.id)
    with right:
        evaluate_view.confusion(run)
    evaluate_view.table(run)
    evaluate_view.history(run)
