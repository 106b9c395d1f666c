"""The run that a page shows: the one of the address, the one a person comes from, or the newest.

An address never shows another run than the one that it names: where that one cannot be shown, the page says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from engine.jobs.job import Job
from pages.ui.jobs import jobs_panel
from pages.ui.look import glossary, wording
from pages.ui.state import cached, session

_KINDS = {
    "extract": "an extraction",
    "train": "a training",
    "apply": "a map",
    "fetch": "a download",
    "measure": "a measurement",
    "leaderboard": "a leaderboard",
    "dataset": "a data set",
}


def choose(
    label: str, runs: Sequence[cached.JobFacts], key: str, held: str, words: Callable[[cached.JobFacts], str]
) -> cached.JobFacts:
    """A list of runs; the choice is kept in the address and in the session.

    Args:
        runs: those that the page can show, newest first; at least one, and the address names one of them or none.
        key: of the widget.
        held: name in the session under which other pages leave the run that a person comes from.
    """
    by_id = {found.job.id: found for found in runs}
    named = session.job_id()
    if named in by_id:
        st.session_state[key] = named
    elif st.session_state.get(key) not in by_id:
        st.session_state[key] = (
            st.session_state[held] if st.session_state.get(held) in by_id else next(iter(by_id))
        )
    name = st.selectbox(
        label, list(by_id), key=key, format_func=labels(by_id, words).__getitem__, on_change=_into_address, args=(key,),
        help=glossary.meaning(label.lower()) if label.lower() in glossary.WORDS else None,
    )  # fmt: skip
    session.set_job(name)
    st.session_state[held] = name
    return by_id[name]


def is_shown(runs: Sequence[cached.JobFacts]) -> bool:
    """Whether there is a run to show: the one that the address names, or any where it names none."""
    name = session.job_id()
    return name in [found.job.id for found in runs] if name else bool(runs)


def require(kind: str, runs: Sequence[cached.JobFacts]) -> None:
    """End the page with what is missing where the address names a run that is none of `runs`.

    Args:
        kind: "extract" or "train": what the page shows.
    """
    name = session.job_id()
    if not name or name in [found.job.id for found in runs]:
        return
    st.info(why_not(name, kind), icon=":material/info:")
    with st.container(horizontal=True):
        if runs and st.button("Choose another run", key="other_run", icon=":material/list:"):
            session.set_job(None)
            st.rerun()
        if cached.job_named(name) and st.button("Open it in Runs", key="named_run"):
            st.switch_page("pages/runs.py", query_params={"job": name})
    st.stop()


def why_not(name: str, kind: str) -> str:
    """Why a page for runs of a kind does not show the one of this name, as Markdown."""
    job = cached.job_named(name)
    facts = cached.job_facts(job) if job else None
    shown = wording.plain(name)
    if facts is None:
        return f"{shown} is not among the runs of this workspace. It was deleted, or it belongs to another workspace."
    if facts.kind != kind:
        return f"{shown} is {_KINDS[facts.kind]}. Open it on its own page."
    if facts.state != "finished":
        return f"{shown} has not finished ({facts.state}), so there is nothing to show here yet."
    return f"{shown} has finished, but its results are no longer in its folder."


def labels(by_id: Mapping[str, cached.JobFacts], words: Callable[[cached.JobFacts], str]) -> dict[str, str]:
    """What the list calls each run; runs of the same words are told apart by their folders' names.

    Streamlit knows an option by its label only: of two equal ones it would always take the first.
    """
    named = {name: words(found) for name, found in by_id.items()}
    times = Counter(named.values())
    return {name: label if times[label] == 1 else f"{label} · {name}" for name, label in named.items()}


def of_address(kind: str, *, else_newest: bool = True) -> Job | None:
    """The job of a kind that the address names, or else the newest one under way.

    Args:
        else_newest: False: only what the address names.
    """
    name = session.job_id()
    if name:
        job = cached.job_named(name)
        facts = cached.job_facts(job) if job else None
        if facts is None or facts.kind != kind:
            st.info(why_not(name, kind), icon=":material/info:")
            session.set_job(None)
            return None
        return job
    under_way = [
        facts.job for facts in cached.jobs() if facts.kind == kind and facts.state in jobs_panel.ACTIVE
    ]
    if not under_way or not else_newest:
        return None
    session.set_job(under_way[0].id)
    return under_way[0]


def _into_address(key: str) -> None:
    """Before the page is drawn again: the address follows the choice."""
    session.set_job(st.session_state[key])
