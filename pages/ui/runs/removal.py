"""Deleting runs: what goes, what needs it, and the question before."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.jobs.keeping.dependence import delete_runs, dependents
from pages.ui.jobs import inner, jobs_panel
from pages.ui.look import errors, wording
from pages.ui.runs import disk
from pages.ui.state import cached, session


def offer(chosen: Sequence[cached.JobFacts], everything: Sequence[cached.JobFacts]) -> None:
    """The button that deletes some runs, with the question before it."""
    idle = [item for item in chosen if item.state not in jobs_panel.ACTIVE]
    if not idle:
        return
    label = "Delete this run" if len(chosen) == 1 else f"Delete {len(idle)} runs"
    with st.popover(label, icon=":material/delete:", key="delete_popover"):
        st.write(_what_goes(idle))
        _warn_of_dependents(idle, everything)
        if len(idle) < len(chosen):
            st.caption(f"{wording.count(len(chosen) - len(idle), 'run')} under way stays.")
        made = _alone_made_by(idle, everything)
        with_made = bool(made) and st.checkbox(
            f"And {wording.count(len(made), 'run')} made on the way · {_megabytes(made)}", key="delete_made"
        )
        if st.button("Yes, delete", type="primary", key="delete_yes"):
            with errors.in_words(stop=False):
                wanted = [*idle, *(made if with_made else ())]
                delete_runs([item.job for item in wanted], [item.job for item in everything])
                session.set_job(None)
                st.rerun()


def _what_goes(idle: Sequence[cached.JobFacts]) -> str:
    whose = (
        "Its folder and all that it holds go" if len(idle) == 1 else "Their folders and all that they hold go"
    )
    return f"{whose} for good: store, scores, maps. {_megabytes(idle)}. Scenes, seasons, places and weights stay."


def _warn_of_dependents(idle: Sequence[cached.JobFacts], everything: Sequence[cached.JobFacts]) -> None:
    going = {item.job.folder for item in idle}
    known = [(item.job, item.config) for item in everything if item.job.folder not in going]
    users = {job.id: job for item in idle for job in dependents(item.job.folder, known)}
    if users:
        names = ", ".join(
            wording.plain(f"{jobs_panel.short_name(job)} ({job.id})") for job in list(users.values())[:5]
        )
        more = f" and {len(users) - 5} more" if len(users) > 5 else ""
        st.warning(
            f"{names}{more} read from it: their scores and maps stay, but they cannot be made again, and decoders lose "
            f"the ground that they were judged on.",
            icon=":material/link_off:",
        )


def _alone_made_by(
    idle: Sequence[cached.JobFacts], everything: Sequence[cached.JobFacts]
) -> list[cached.JobFacts]:
    """Inner runs that these made and that no other run needs."""
    going = {item.job.folder for item in idle}
    made = {item.job.folder: item for parent in idle for item in inner.made_by(parent, everything)}
    others = [(item.job, item.config) for item in everything if item.job.folder not in going]
    return [item for folder, item in made.items() if folder not in going and not dependents(folder, others)]


def _megabytes(found: Sequence[cached.JobFacts]) -> str:
    return wording.megabytes(sum(disk.bytes_of(item.job.folder) for item in found) / 1e6)
