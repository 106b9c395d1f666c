"""Before a leaderboard starts: how many decoders it teaches, what is made first, the button."""

from __future__ import annotations

import streamlit as st

from engine.jobs.configuration.config import LeaderboardConfig
from engine.jobs.job import submit
from pages.ui import workspace
from pages.ui.jobs import config_view
from pages.ui.leaderboard.choice import Chosen
from pages.ui.look import notices, style
from pages.ui.state import session


def show(chosen: Chosen) -> None:
    """The cost, and the start."""
    notices.simulated(chosen.is_simulated)
    config = chosen.config
    if config is None:
        st.info(chosen.lacks, icon=":material/info:")
    else:
        made = chosen.is_there.count(False)
        style.facts(
            (
                ("Rows", _at_least(_rows(config), config)),
                ("Decoders", _at_least(_decoders(config), config)),
                ("Extracted first", f"{made}" if made else "nothing"),
            ),
            small=True,
        )
        st.caption(
            "All decoders learn from the same places and are tested once on the same others. The time left is told as soon as "
            "the first has learned."
        )
    if st.button("Start the leaderboard", type="primary", key="start_leaderboard", icon=":material/leaderboard:",
                 disabled=config is None) and config is not None:  # fmt: skip
        session.set_job(submit(config, workspace.folder()).id)
        st.rerun()
    if config is not None:
        with st.expander("The same without the browser", icon=":material/terminal:"):
            config_view.show(config, "leaderboard", "leaderboard")


def _rows(config: LeaderboardConfig) -> int:
    return len(config.stores) * len(config.heads) * len(config.positions)


def _decoders(config: LeaderboardConfig) -> int:
    few = len([share for share in config.label_shares if share < 1]) * len(config.stores) * len(config.heads)
    return (_rows(config) + few) * len(config.seeds)


def _at_least(count: int, config: LeaderboardConfig) -> str:
    """A count that layers and groups, which only the stores tell, may add to."""
    return f"{count} or more" if "each" in config.layers or config.travels else f"{count}"
