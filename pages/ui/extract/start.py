"""Before an extraction starts: its cost; while it runs: its panel; after: the way on."""

from __future__ import annotations

import streamlit as st

from engine.backbones import cards
from engine.jobs.configuration.config import ExtractConfig, SceneConfig
from engine.jobs.job import submit
from pages.ui import workspace
from pages.ui.backbones import card as backbone_card
from pages.ui.jobs import chosen_run, cost, jobs_panel
from pages.ui.look import errors, wording
from pages.ui.state import cached, regions, session


def show_job() -> None:
    """The job of the address, or the newest one under way, with its panel."""
    job = chosen_run.of_address("extract", else_newest=not st.session_state.get("extract_dismissed"))
    if job is None:
        return
    jobs_panel.panel(job)
    state = job.state_of(cached.events_of(job))
    with st.container(horizontal=True):
        if state == "finished" and st.button(
            "See the embeddings", type="primary", key="to_embeddings", icon=":material/arrow_forward:"
        ):
            st.session_state["store_job"] = job.id
            st.switch_page("pages/embeddings.py", query_params={})
        if state not in jobs_panel.ACTIVE and st.button(
            "Set up another", key="new_extract", icon=":material/add:"
        ):
            session.set_job(None)
            st.session_state["extract_dismissed"] = True
            st.rerun()
    if state in jobs_panel.ACTIVE:
        st.caption(
            "The job goes on when this tab is closed; Runs finds it again. A second one can be set up below: it waits its turn."
        )


def stop_while_season_is_made(scene: SceneConfig) -> None:
    """End the page where a job under way makes the simulated fires before it extracts: there is nothing to choose yet."""
    under_way = (found for found in cached.jobs() if found.state in jobs_panel.ACTIVE)
    if any(found.kind == "extract" and found.config.scene == scene for found in under_way):
        st.caption("The job simulates these fires first; then another extraction can be set up here.")
        st.stop()


def cost_and_start(config: ExtractConfig) -> None:
    """Area, tiles, megabytes and minutes, then the button."""
    st.subheader("Before you start", anchor=False)
    st.markdown(f"**{wording.plain(session.place().title)}**, {regions.in_words()}")
    with errors.in_words():
        cost.show_and_measure(config)
        _warn_of_absent_weights(config)
        if st.button(
            "Start extraction",
            type="primary",
            key="start_extract",
            icon=":material/play_arrow:",
            width="stretch",
        ):
            job = submit(config, workspace.folder())
            session.set_job(job.id)
            jobs_panel.tell_started()
            st.rerun()
        if st.button("Change the region", key="to_explore", icon=":material/map:", width="stretch"):
            st.switch_page("pages/explore.py", query_params={})


def _warn_of_absent_weights(config: ExtractConfig) -> None:
    spec = cards.card(config.backbone.name)
    if config.backbone.weights == "pretrained" and not backbone_card.is_present(spec):
        st.info(
            f"The weights of {wording.plain(spec.name)} ({backbone_card.size(spec)}) are not on this machine: the job "
            f"fetches them first, or says at once where to get them.",
            icon=":material/cloud_download:",
        )
