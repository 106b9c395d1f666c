"""The parts of the Runs page: which runs are shown, and one run in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ui.jobs import chosen_run, config_view, curves, dataset_ways, inner, jobs_panel
from pages.ui.look import errors, wording
from pages.ui.runs import disk, keeping, removal
from pages.ui.state import address, cached, session

_SEVERAL = "runs"  # of the address: the runs that are compared


def disk_use(found: Sequence[cached.JobFacts]) -> None:
    """How many runs there are, and what they take."""
    total = sum(disk.bytes_of(item.job.folder) for item in found)
    st.caption(f"{wording.count(len(found), 'run')} · {wording.megabytes(total / 1e6)} on disk")


def chosen(picked: Sequence[cached.JobFacts], kept: Sequence[cached.JobFacts]) -> list[cached.JobFacts]:
    """The runs to show: those picked in the table, else those of the address, else the first of the list.

    Returns:
        Fewer, or none, where a run of the address is not listed; the page then says why.
    """
    if len(picked) > 1:
        address.write(_SEVERAL, ",".join(item.job.id for item in picked))
        return list(picked)
    if picked:
        address.write(_SEVERAL, None)
        session.set_job(picked[0].job.id)
        return list(picked)
    asked = [name for name in (address.read(_SEVERAL) or "").split(",") if name]
    if not asked:
        return _of_address(kept)
    compared = [item for item in kept if item.job.id in asked]
    for name in dict.fromkeys(asked):
        if name not in [item.job.id for item in compared]:
            _say_absent(name)
    return compared


def _of_address(kept: Sequence[cached.JobFacts]) -> list[cached.JobFacts]:
    """The run of the address, or the first of the list where it names none; else says why it is not shown."""
    name = session.job_id()
    if name is None:
        return list(kept[:1])
    named = [item for item in kept if item.job.id == name]
    job = cached.job_named(name)
    facts = cached.job_facts(job) if job and not named else None
    if facts is not None and inner.is_inner(facts):
        return [facts]
    if not named:
        _say_absent(name)
    return named


def _say_absent(name: str) -> None:
    """Why a run of the address is not in the list."""
    if cached.job_named(name):
        st.info(f"The filter above hides {wording.plain(name)}.", icon=":material/filter_alt_off:")
    else:
        st.info(chosen_run.why_not(name, ""), icon=":material/info:")


def end_comparison() -> None:
    """The way back to one run, where the address holds several."""
    if address.read(_SEVERAL) and st.button("Back to one run", key="one_run", icon=":material/close:"):
        address.write(_SEVERAL, None)
        st.rerun()


def details(item: cached.JobFacts, everything: Sequence[cached.JobFacts]) -> None:
    """One run in full: panel, where it leads, configuration, command, removal."""
    st.subheader(jobs_panel.short_name(item.job), anchor=False)
    jobs_panel.panel(item.job, more=curves.show if item.kind == "train" else None)
    _ways_on(item)
    _dataset_ways(item)
    left, right = st.columns([1.4, 1], gap="large")
    with left:
        st.markdown("**Configuration**")
        with errors.in_words(stop=False):
            config_view.text(
                item.job.config_text, item.kind, item.job.id, f"run_{item.job.id}", item.job.command
            )
    with right:
        st.markdown("**Folder**")
        st.code(str(item.job.folder), language=None, wrap_lines=True)
        _made_on_the_way(item, everything)
        if item.state not in jobs_panel.ACTIVE:
            keeping.download(item.job)
        keeping.note(item.job)
        if item.job.summary:
            st.markdown("**Summary**")
            st.json(_short(item.job.summary), expanded=1)
        removal.offer([item], everything)


def _made_on_the_way(parent: cached.JobFacts, everything: Sequence[cached.JobFacts]) -> None:
    """The inner runs of a run, each with its size and a way to it."""
    made = inner.made_by(parent, everything)
    if not made:
        return
    st.markdown("**Made on the way**")
    for item in made:
        words = (
            f"{jobs_panel.short_name(item.job)} · {wording.megabytes(disk.bytes_of(item.job.folder) / 1e6)}"
        )
        if st.button(
            words, key=f"inner_{item.job.id}", icon=":material/subdirectory_arrow_right:", type="tertiary"
        ):
            session.set_job(item.job.id)
            st.rerun()


def _ways_on(item: cached.JobFacts) -> None:
    with st.container(horizontal=True):
        if item.state == "finished" and item.kind == "extract":
            if st.button(
                "See the embeddings", type="primary", key="run_embeddings", icon=":material/arrow_forward:"
            ):
                st.session_state["store_job"] = item.job.id
                st.switch_page("pages/embeddings.py", query_params={})
        elif item.state == "finished" and item.kind == "apply":
            if st.button("See the map", type="primary", key="run_map", icon=":material/arrow_forward:"):
                st.switch_page("pages/apply.py", query_params={"job": item.job.id})
        elif (
            item.state == "finished"
            and item.kind == "train"
            and st.button(
                "See how good it is", type="primary", key="run_evaluate", icon=":material/arrow_forward:"
            )
        ):
            st.session_state["train_job"] = item.job.id
            st.switch_page("pages/evaluate.py", query_params={})


def _dataset_ways(item: cached.JobFacts) -> None:
    """The ways on from a data set that a job made or fetched."""
    folder = dataset_ways.folder_of(item.job.summary) if item.state == "finished" else None
    if folder is None:
        return
    dataset_ways.remarks(item.job.summary)
    if dataset_ways.offer(folder, jobs_panel.short_name(item.job).partition(" · ")[2], "run"):
        st.switch_page("pages/explore.py", query_params={})


def _short(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary without what other pages show better."""
    return {key: value for key, value in summary.items() if key not in ("confusion", "baseline")}
