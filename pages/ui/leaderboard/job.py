"""The leaderboard that the page shows: under way with its decoders so far, or finished."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs.configuration.config import LeaderboardConfig
from engine.jobs.job import Job
from engine.jobs.leaderboard_events import DecoderTaught, LeaderboardPlanned
from engine.learning.leaderboard.report.files import SUMMARY, read_summary
from pages.ui.jobs import chosen_run, jobs_panel, progress_words
from pages.ui.look import style, wording
from pages.ui.state import cached, session


def of_page() -> Job | None:
    """The leaderboard of the address, or the newest one under way."""
    return chosen_run.of_address("leaderboard")


def show(job: Job) -> dict[str, Any] | None:
    """The job while it is under way; what it says once it has finished."""
    if job.state_of(cached.events_of(job)) == "finished" and (job.folder / SUMMARY).is_file():
        return read_summary(job.folder)
    jobs_panel.panel(job, more=_so_far)
    if job.state_of(cached.events_of(job)) in jobs_panel.ACTIVE:
        st.caption("The leaderboard goes on when this tab is closed; Runs finds it again.")
    return None


def another(job: Job) -> None:
    """The way to a new one."""
    if job.state_of(cached.events_of(job)) not in jobs_panel.ACTIVE and st.button(
        "Set up another", key="new_leaderboard", icon=":material/add:"
    ):
        session.set_job(None)
        st.rerun()


def earlier() -> None:
    """Leaderboards that are finished, newest first."""
    found = [one for one in cached.jobs() if one.kind == "leaderboard" and one.state == "finished"]
    if not found:
        return
    st.subheader("Earlier leaderboards", anchor=False)
    for one in found[:10]:
        if st.button(f"{words(one.config)} · {wording.when(one.submitted_at)}", key=f"earlier_{one.job.id}", type="tertiary",
                     icon=":material/leaderboard:"):  # fmt: skip
            session.set_job(one.job.id)
            st.rerun()


def words(config: LeaderboardConfig) -> str:
    """A leaderboard in a few words."""
    return (
        f"{wording.count(len(config.stores), 'backbone')}, {wording.count(len(config.heads), 'head')}, "
        f"{wording.count(len(config.seeds), 'seed')}"
    )


def _so_far(job: Job, events: progress_words.Events) -> None:
    """Validation scores of the decoders that are taught: the test is told when all are."""
    del job
    planned = next((event for _, event in reversed(events) if isinstance(event, LeaderboardPlanned)), None)
    if planned is None:
        return
    style.facts(
        [(f"{name.capitalize()} places", f"{count:,}") for name, count in planned.places.items()], small=True
    )
    taught = [event for _, event in events if isinstance(event, DecoderTaught) and event.what == "row"]
    rows: dict[tuple[str, str], dict[int, float]] = {}
    for one in taught:
        if one.validation is not None:
            rows.setdefault((one.backbone, one.head), {})[one.seed] = one.validation
    if not rows:
        return
    means = {key: sum(values.values()) / len(values) for key, values in rows.items()}
    order = sorted(means, key=lambda key: -means[key])
    lines = [(" · ".join(key), (f"{means[key]:.3f}", wording.count(len(rows[key]), "seed"))) for key in order]
    style.table(("Backbone and head", "Validation", "Taught"), lines)
    style.small(
        "Scores on the validation places, which choose; the test places are compared once, when all decoders are taught."
    )
