"""A finished leaderboard: what it says, its picture, its rows, its curves and matrices, and its files."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.jobs.job import Job
from engine.learning.leaderboard.report import files
from engine.learning.leaderboard.report.words import between, metric_words, number, row_name
from pages.ui.jobs import take
from pages.ui.leaderboard import plots
from pages.ui.look import notices, style, wording
from pages.ui.state import downloads

_HIGHEST_PX = 700
# Rows that are shown without scrolling.
_SHOWN_WHOLE = 12
_UNTRAINED = ("rcf", "raw")
_FILES = (
    ("Table, CSV", files.TABLE), ("Picture, SVG", files.PICTURE), ("Few labels, SVG", files.CURVES), ("One page, HTML", files.PAGE),
    ("GEO-Bench-2, CSV", files.GEO_BENCH_2), ("torchgeo-bench, CSV", files.TORCHGEO_BENCH),
)  # fmt: skip


def verdict(summary: dict[str, Any]) -> None:
    """The winner in a sentence, and what a person should know before believing it."""
    notices.simulated(summary["is_simulated"])
    if any(row["is_random"] for row in summary["rows"]):
        st.warning(
            "**Random weights** stand in some rows: their backbones were never trained.",
            icon=":material/casino:",
        )
    first, *others = summary["verdict"]["sentences"]
    difference = summary["verdict"].get("difference")
    if difference is None or difference["is_clear"]:
        st.success(wording.plain(first), icon=":material/emoji_events:")
    else:
        st.info(wording.plain(first), icon=":material/balance:")
    for one in others:
        st.markdown(wording.plain(one))
    places = summary["places"]
    style.facts([(f"{name.capitalize()} places", f"{count:,}") for name, count in places.items()], small=True)
    for note in summary["notes"]:
        st.caption(wording.told(note))


def picture(summary: dict[str, Any], key: str) -> None:
    """A dot a row with its interval."""
    plots.rows(summary, f"lb_rows_{key}")


def table(summary: dict[str, Any]) -> None:
    """All rows, best first; a click on a column's head sorts them otherwise."""
    metric = summary["metric"]
    lines = [_line(row, metric) for row in (*summary["rows"], *summary["baselines"])]
    if all(line["Mean IoU"] is None for line in lines):  # the task has no such score, or is judged by it
        lines = [{name: value for name, value in line.items() if name != "Mean IoU"} for line in lines]
    column = st.column_config
    three = {"format": "%.3f", "width": "small"}
    st.dataframe(
        lines, hide_index=True, width="stretch", key="lb_table", placeholder="–",
        height="content" if len(lines) <= _SHOWN_WHOLE else _HIGHEST_PX,
        column_config={
            "Score": column.NumberColumn(metric_words(summary), **three, help="Mean over the seeds, on the test places."),
            "Deviation": column.NumberColumn(**three, help="Standard deviation over the seeds."),
            "Mean IoU": column.NumberColumn(**three, help="Of all classes, as GEO-Bench-2 and PANGAEA report it."),
            "Validation": column.NumberColumn(**three, help="Mean over the seeds, on the validation places, which choose."),
            "Training": column.NumberColumn(format="%.1f s", width="small", help="Of one decoder, with its validation."),
            "Extraction": column.NumberColumn(format="%.0f s", width="small"),
            "MB": column.NumberColumn(format="%.1f", width="small", help="Of the store."),
            "Chosen": column.CheckboxColumn(width="small", help="The best of its backbone on the validation places."),
        },
    )  # fmt: skip


def _line(row: dict[str, Any], metric: str) -> dict[str, Any]:
    is_untrained = bool(row["head"]) and row["backbone"].partition(" · ")[0] in _UNTRAINED
    told = {
        "simulated": row["is_simulated"],
        "random weights": row.get("is_random"),
        "without pretraining": is_untrained,
    }
    said = [word for word, holds in told.items() if holds]
    return {
        "Backbone": row_name(row, with_head=False), "Head": row["head"] or "baseline", "Score": row[f"{metric}_mean"],
        "Deviation": row.get(f"{metric}_std"), "95 % interval": between(row["interval"]), "Mean IoU": row.get("miou_mean"),
        "Validation": row.get("validation_mean"), "Chosen": bool(row.get("is_chosen")), "Training": row.get("seconds"),
        "Extraction": row.get("extract_seconds"), "MB": None if row.get("bytes") is None else row["bytes"] / 1e6,
        "Data": ", ".join(said),
    }  # fmt: skip


def beyond(summary: dict[str, Any], key: str) -> None:
    """Differences, few-label curves and matrices."""
    if summary["pairs"]:
        st.subheader("Differences on the same places", anchor=False)
        lines = [
            (f"{row_name(one['better'])} minus {row_name(one['other'])}", (_signed(one), "yes" if one["is_clear"] else "no"))
            for one in summary["pairs"]
        ]  # fmt: skip
        style.table(("", "Difference, 95 % interval", "Told apart"), lines)
    if summary["curves"]:
        st.subheader("Few labels", anchor=False)
        plots.curves(summary, f"lb_curves_{key}")
    if summary["travel"]:
        st.subheader("Does it travel?", anchor=False)
        style.small(
            "A line for what was trained on, a column for what was tested on: always places that did not train."
        )
        for one in summary["travel"]:
            st.markdown(
                f"Between {one['by']}s: **{wording.plain(one['backbone'])}** · {wording.plain(one['head'])}"
            )
            lines = [
                (line["trained_on"], [number(score["mean"]) for score in line["scores"]])
                for line in one["lines"]
            ]
            style.table(("Trained on", *one["tested_on"]), lines, wraps=True)


def take_home(job: Job) -> None:
    """Every file of the run."""
    st.subheader("Take it home", anchor=False)
    take.links([
        (label, downloads.offer_file(job.folder / name, f"{job.id}-{name}"))
        for label, name in _FILES
        if (job.folder / name).is_file()
    ])  # fmt: skip


def _signed(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return "undefined"
    ends = "" if found["interval"] is None else f" [{found['interval'][0]:+.3f}, {found['interval'][1]:+.3f}]"
    return f"{found['value']:+.3f}{ends}".replace("-", "−")
