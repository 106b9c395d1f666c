"""The parts of the Runs page: filter, table, and one run in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from engine.jobs import events as happened
from engine.jobs.config import ApplyConfig, ExtractConfig, TrainConfig
from engine.jobs.note import read_note
from engine.learning.tasks.table import task_of
from pages.ui.jobs import chosen_run, config_view, curves, jobs_panel, progress_words
from pages.ui.look import errors, metrics, wording
from pages.ui.runs import keeping
from pages.ui.state import cached, results, session

_PAGES = {"extract": "pages/extract.py", "train": "pages/train.py", "apply": "pages/apply.py"}


def filtered(found: Sequence[cached.JobFacts]) -> list[cached.JobFacts]:
    """Runs of the kinds and states that are asked for."""
    with st.container(horizontal=True):
        kind = st.segmented_control("Kind", ["All", "Extract", "Train", "Apply"], default="All", required=True, key="runs_kind",
                                    label_visibility="collapsed")  # fmt: skip
        states = sorted({item.state for item in found})
        wanted = st.pills("State", states, selection_mode="multi", key="runs_state", label_visibility="collapsed",
                          format_func=str.capitalize)  # fmt: skip
    return [
        item
        for item in found
        if kind in ("All", item.kind.capitalize()) and (not wanted or item.state in wanted)
    ]


def table(kept: Sequence[cached.JobFacts]) -> cached.JobFacts | None:
    """The runs, newest first.

    Returns:
        The one picked, or the one of the address, or the newest; None where the run of the address is not listed.
    """
    if not kept:
        st.info("No run is of this kind and state. Clear the filter above.", icon=":material/filter_alt_off:")
        return None
    rows = [_row(item) for item in kept]
    picked = st.dataframe(
        rows, hide_index=True, on_select="rerun", selection_mode="single-row", key=f"runs_table_{len(kept)}_{kept[0].job.id}", width="stretch",
        height=min(38 + 35 * len(rows), 360),
        column_config={
            "State": st.column_config.TextColumn(width="small"), "Kind": st.column_config.TextColumn(width="small"),
            "Took": st.column_config.TextColumn(width="small"), "Result": st.column_config.TextColumn(width="medium"),
        },
    )  # fmt: skip
    chosen = [kept[index] for index in picked["selection"]["rows"] if index < len(kept)]
    if chosen:
        session.set_job(chosen[0].job.id)
    return _of_address(kept)


def _of_address(kept: Sequence[cached.JobFacts]) -> cached.JobFacts | None:
    """The run of the address, or the newest where it names none; else says why it is not shown."""
    name = session.job_id()
    if name is None:
        return kept[0]
    named = next((item for item in kept if item.job.id == name), None)
    if named is None and cached.job_named(name):
        st.info(f"The filter above hides {wording.plain(name)}.", icon=":material/filter_alt_off:")
    elif named is None:
        st.info(chosen_run.why_not(name, ""), icon=":material/info:")
    return named


def details(chosen: cached.JobFacts) -> None:
    """One run in full: panel, where it leads, configuration, command, removal."""
    st.subheader(jobs_panel.short_name(chosen.job), anchor=False)
    jobs_panel.panel(chosen.job, more=curves.show if chosen.kind == "train" else None)
    _ways_on(chosen)
    left, right = st.columns([1.4, 1], gap="large")
    with left:
        st.markdown("**Configuration**")
        with errors.in_words(stop=False):
            config_view.text(
                chosen.job.config_text, chosen.kind, chosen.job.id, f"run_{chosen.job.id}", chosen.job.command
            )
    with right:
        st.markdown("**Folder**")
        st.code(str(chosen.job.folder), language=None, wrap_lines=True)
        if chosen.state not in jobs_panel.ACTIVE:
            keeping.download(chosen.job)
        keeping.note(chosen.job)
        if chosen.job.summary:
            st.markdown("**Summary**")
            st.json(_short(chosen.job.summary), expanded=1)
        _delete(chosen)


def _row(item: cached.JobFacts) -> dict[str, Any]:
    match item.config:
        case ExtractConfig():
            what = item.config.backbone.name
        case TrainConfig():
            what = f"{item.config.head.name} head"
        case _:
            what = results.store_name(item.config.decoder + "/")
    return {
        "State": item.state.capitalize(), "Name": read_note(item.job.folder).name, "Kind": item.kind.capitalize(), "What": what, "On": _on(item),
        "Started": wording.when(item.submitted_at), "Took": wording.duration(item.seconds), "Result": _result(item),
        "Run": item.job.id,
    }  # fmt: skip


def _on(item: cached.JobFacts) -> str:
    if isinstance(item.config, ExtractConfig):
        return item.config.scene.title
    if isinstance(item.config, ApplyConfig):
        return ", ".join(_ground(one) for one in item.config.ground)
    return _ground(item.config.store)


def _ground(store: str | ExtractConfig) -> str:
    return store.scene.title if isinstance(store, ExtractConfig) else results.store_name(store)


def _result(item: cached.JobFacts) -> str:
    """The one number that a list wants."""
    events = cached.events_of(item.job)
    ended = [event.summary for _, event in events if isinstance(event, happened.Finished)]
    summary = ended[-1] if ended else {}
    if item.kind == "extract" and "patches" in summary:
        return f"{summary['patches']:,} patches"
    if item.kind == "apply" and "hectares" in summary:
        return "; ".join(f"{name}: {area:,.1f} ha" for name, area in summary["hectares"].items())
    watch = summary.get("watch", "iou_burned")
    if isinstance(item.config, TrainConfig) and isinstance(summary.get(watch), float):
        title = metrics.title(watch, task_of(item.config.task).classes)
        return f"{title}: {summary[watch]:.3f}"
    if item.state in jobs_panel.ACTIVE:
        return progress_words.progress_of(item.job, events, item.state)[1]
    failed = [event.message for _, event in events if isinstance(event, happened.Failed)]
    return failed[-1][:80] if failed else ""


def _ways_on(chosen: cached.JobFacts) -> None:
    with st.container(horizontal=True):
        if chosen.state == "finished" and chosen.kind == "extract":
            if st.button(
                "See the embeddings", type="primary", key="run_embeddings", icon=":material/arrow_forward:"
            ):
                st.session_state["store_job"] = chosen.job.id
                st.switch_page("pages/embeddings.py")
        elif chosen.state == "finished" and chosen.kind == "apply":
            if st.button("See the map", type="primary", key="run_map", icon=":material/arrow_forward:"):
                st.switch_page("pages/apply.py", query_params={"job": chosen.job.id})
        elif chosen.state == "finished" and st.button(
            "See how good it is", type="primary", key="run_evaluate", icon=":material/arrow_forward:"
        ):
            st.session_state["train_job"] = chosen.job.id
            st.switch_page("pages/evaluate.py")


def _delete(chosen: cached.JobFacts) -> None:
    if chosen.state in jobs_panel.ACTIVE:
        return
    with st.popover("Delete this run", icon=":material/delete:", key="delete_popover"):
        st.write("Its folder and all that it holds go for good: store, scores, maps.")
        if st.button("Yes, delete it", type="primary", key="delete_yes"):
            with errors.in_words(stop=False):
                chosen.job.delete()
                session.set_job(None)
                st.rerun()


def _short(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary without what other pages show better."""
    return {key: value for key, value in summary.items() if key not in ("confusion", "baseline")}
