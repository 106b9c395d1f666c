"""A training from its start to its curves: the button, the live panel, and the way on."""

from __future__ import annotations

import streamlit as st

from engine.jobs import spare
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.job import submit
from engine.learning.tasks.table import task_of
from pages.ui import workspace
from pages.ui.jobs import chosen_run, jobs_panel
from pages.ui.look import errors, metrics, style
from pages.ui.state import cached, session
from pages.ui.train import live
from pages.ui.train.fork import fork
from pages.ui.train.source import Source


def show_job() -> None:
    """The job of the address, or the newest training under way, with its curves."""
    job = chosen_run.of_address("train")
    if job is None:
        return
    jobs_panel.panel(job, more=live.show)
    state = job.state_of(cached.events_of(job))
    with st.container(horizontal=True):
        if state == "finished" and st.button(
            "See how good it is", type="primary", key="to_evaluate", icon=":material/arrow_forward:"
        ):
            st.session_state["train_job"] = job.id
            st.switch_page("pages/evaluate.py", query_params={})
        config = job.config
        if isinstance(config, TrainConfig):
            st.button("Fork with other settings", key="fork_train", icon=":material/fork_right:", on_click=fork,
                      args=(job, config), help="Fills the form below with these settings; change some and start.")  # fmt: skip
        if state not in jobs_panel.ACTIVE and st.button(
            "Set up another", key="new_train", icon=":material/add:"
        ):
            session.set_job(None)
            st.rerun()
    if state in jobs_panel.ACTIVE:
        st.caption("The training goes on when this tab is closed; Runs finds it again.")


def start(config: TrainConfig, source: Source) -> None:
    """What it will learn from, then the button; a process gets ready meanwhile, so that the training begins at once."""
    spare.keep_ready()
    st.subheader("Before you start", anchor=False)
    style.facts(
        (
            (
                "Learns from",
                source.words if config.labels.source == "scene" else f"the labelled part of {source.words}",
            ),
            ("Judged on", "places it has never seen"),
        ),
        small=True,
    )
    task = task_of(config.task)
    st.caption(
        f"The epoch with the best {metrics.titled(task.watch, task)} on the validation places is kept. "
        "The test places are scored once, at the end."
    )
    is_ready = config.labels.source == "scene" or bool(config.labels.path)
    if st.button("Start training", type="primary", key="start_train", icon=":material/play_arrow:", width="stretch",
                 disabled=not is_ready):  # fmt: skip
        with errors.in_words():
            job = submit(config, workspace.folder())
            session.set_job(job.id)
            jobs_panel.tell_started()
            st.rerun()
