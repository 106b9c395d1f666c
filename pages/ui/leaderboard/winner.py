"""The way on from a leaderboard: the leading row's decoder as a training of its own, to be applied elsewhere."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs.configuration.config import HeadConfig, LeaderboardConfig
from engine.jobs.job import Job, submit
from pages.ui import workspace
from pages.ui.look import errors
from pages.ui.state import session


def offer(job: Job, summary: dict[str, Any]) -> None:
    """A button that trains the decoder which validation puts first once more, as a run of its own, and shows it."""
    config, row = job.config, summary["verdict"]["winner"]
    if not isinstance(config, LeaderboardConfig) or _lacks_labels(config, row):
        return
    words = f"Train {row['head']} on {row['backbone']} as a run"
    if st.button(words, key="use_winner", type="primary", icon=":material/arrow_forward:",
                 help="The same decoder as the first seed's; a run of its own can be judged in full and applied to other ground."):  # fmt: skip
        with errors.in_words():
            training = config.training_of(
                config.stores[row["store"]], HeadConfig.model_validate(row["head_settings"]), config.seeds[0],
                tuple(row["layers"]), row["position"],
            )  # fmt: skip
            job = submit(training, workspace.folder()).id
            session.set_job(job)
            st.switch_page("pages/train.py", query_params={"job": job})


def _lacks_labels(config: LeaderboardConfig, row: dict[str, Any]) -> bool:
    """Whether a store was taught with the labels of another one, and has none to be trained on by itself."""
    return config.ground == "shared" and row["store"] > 0 and config.training.labels.path is None
