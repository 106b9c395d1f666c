"""The table of the Runs page: search, filters, and what a row says of a run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from engine.imagery.sources import PublishedEmbeddings
from engine.jobs import events as happened
from engine.jobs.configuration.config import (
    ApplyConfig,
    DatasetConfig,
    EmbeddingFilesConfig,
    ExportConfig,
    ExtractConfig,
    FetchConfig,
    LeaderboardConfig,
    MeasureConfig,
    TrainConfig,
)
from engine.jobs.note import Note, read_note
from engine.learning.tasks.table import task_of
from pages.ui.jobs import inner, jobs_panel, progress_words
from pages.ui.jobs.differing import differing_in_words
from pages.ui.look import metrics, wording
from pages.ui.runs import disk
from pages.ui.state import address, bound, cached

_HIGHEST_PX = 420
_KINDS = (
    "All",
    "Extract",
    "Import",
    "Train",
    "Leaderboard",
    "Apply",
    "Measure",
    "Export",
    "Fetch",
    "Dataset",
)


def filtered(found: Sequence[cached.JobFacts]) -> list[cached.JobFacts]:
    """Runs of the kinds and states, and with the words, that are asked for; inner runs only when asked for."""
    with st.container(horizontal=True, vertical_alignment="center"):
        address.restore("kind", "runs_kind", _KINDS, _KINDS[0])
        kind = st.segmented_control(
            "Kind", _KINDS, required=True, key="runs_kind", label_visibility="collapsed"
        )
        address.keep("kind", "runs_kind")
        states = sorted({item.state for item in found})
        _restore("state", "runs_state", lambda asked: _known(asked, states))
        wanted = st.pills("State", states, selection_mode="multi", key="runs_state", label_visibility="collapsed",
                          format_func=str.capitalize)  # fmt: skip
        _keep("state", ",".join(wanted))
        _restore("find", "runs_search", str)
        words = st.text_input("Search", key="runs_search", placeholder="Name, note, backbone, place, setting",
                              label_visibility="collapsed", icon=":material/search:")  # fmt: skip
        _keep("find", words)
        folded = sum(map(inner.is_inner, found))
        has_inner = bool(folded) and st.toggle(
            f"Show {folded} made on the way", key="runs_inner",
            bind="query-params", help="Extractions that a training or a map needed and made first. They stand below it in its details.",
        )  # fmt: skip
        order = _order()
    kept = [
        item
        for item in found
        if kind in ("All", kind_words(item))
        and (not wanted or item.state in wanted)
        and (has_inner or words or not inner.is_inner(item))
        and _matches(item, words)
    ]
    return in_order(kept, order)


def _order() -> str:
    """How the list is sorted; the address keeps it, as it cannot keep a click on a column's head."""
    address.restore("sort", "runs_sort", list(_SORTS), next(iter(_SORTS)))
    order = st.selectbox(
        "Sort", list(_SORTS), key="runs_sort", label_visibility="collapsed", width=190
    )  # fmt: skip
    address.keep("sort", "runs_sort")
    return str(order)


def in_order(found: Sequence[cached.JobFacts], order: str) -> list[cached.JobFacts]:
    """The runs in one of the orders; those that have no such value stay at the end."""
    key, is_greatest_first = _SORTS[order]
    having = [item for item in found if key(item) is not None]
    return [
        *sorted(having, key=lambda item: key(item) or 0, reverse=is_greatest_first),
        *(item for item in found if key(item) is None),
    ]


def _restore(name: str, widget: str, read: Callable[[str], Any]) -> None:
    """Before a widget is drawn: it follows the address where a link, and not the widget, has put something there."""
    asked = address.read(name)
    if asked is not None and (
        asked != st.session_state.get(f"runs {name}") or widget not in st.session_state
    ):
        st.session_state[widget] = read(asked)


def _known(asked: str, states: Sequence[str]) -> list[str]:
    """Those of the states of a link that some run has; of the others the page says that they are not here."""
    named = asked.split(",")
    if absent := [one for one in named if one not in states]:
        bound.refuse("state", ", ".join(absent))
    return [one for one in named if one in states]


def _keep(name: str, said: str) -> None:
    """After a widget is drawn: the address follows it."""
    st.session_state[f"runs {name}"] = said
    address.write(name, said or None)


def table(kept: Sequence[cached.JobFacts]) -> list[cached.JobFacts]:
    """The runs in their order, and those that were picked.

    Returns:
        In the order of the table; none where nobody has picked any.
    """
    if not kept:
        st.info(
            "No run is of this kind and state, or holds these words. Clear the filter above.",
            icon=":material/filter_alt_off:",
        )
        return []
    differing = differing_in_words([item.config for item in kept])
    rows = [_row(item, words) for item, words in zip(kept, differing, strict=True)]
    picked = st.dataframe(
        rows, hide_index=True, on_select="rerun", selection_mode="multi-row", key=f"runs_table_{_of(kept)}", width="stretch", placeholder="",
        height=min(38 + 35 * len(rows), _HIGHEST_PX), column_config=_columns(rows),
    )  # fmt: skip
    return [kept[index] for index in picked["selection"]["rows"] if index < len(kept)]


def _of(kept: Sequence[cached.JobFacts]) -> str:
    """Another word for another list: what is picked is kept by row."""
    return hashlib.sha256(" ".join(item.job.id for item in kept).encode()).hexdigest()[:16]


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    column = st.column_config
    empty = {
        name: None
        for name in ("Name", "Settings", "Score")
        if not any(row[name] not in (None, "") for row in rows)
    }
    return {
        "State": column.TextColumn(width="small"), "Kind": column.TextColumn(width=105), "Name": column.TextColumn(width="medium"),
        "What": column.TextColumn(width="medium"), "On": column.TextColumn(width="medium"),
        "Settings": column.TextColumn(width="medium", help="Those in which the listed runs of its kind differ."),
        "Started": column.DatetimeColumn(format="D MMM YYYY, HH:mm"), "Took": column.NumberColumn(format="%d s", width="small"),
        "Score": column.NumberColumn(format="%.3f", width="small", help="On the test places."),
        "Size": column.NumberColumn("MB", format="%.1f", width="small"), "Run": column.TextColumn(width="medium"),
    } | empty  # fmt: skip


def _matches(item: cached.JobFacts, words: str) -> bool:
    """Whether every word stands somewhere in what is known of a run."""
    if not words.strip():
        return True
    note = read_note(item.job.folder)
    held = f"{note.name} {note.text} {item.job.id} {item.state} {what(item)} {on(item)} {item.config.model_dump_json()}".lower()
    return all(word in held for word in words.lower().split())


def _row(item: cached.JobFacts, settings: str) -> dict[str, Any]:
    note: Note = read_note(item.job.folder)
    return {
        "State": item.state.capitalize(), "Name": note.name, "Kind": kind_words(item), "What": what(item), "On": on(item),
        "Settings": settings, "Started": datetime.fromtimestamp(item.submitted_at, UTC).astimezone(), "Took": round(item.seconds),
        "Score": score(item), "Result": result(item), "Size": disk.bytes_of(item.job.folder) / 1e6, "Run": item.job.id,
    }  # fmt: skip


def kind_words(item: cached.JobFacts) -> str:
    """What kind of run it is; an extraction that takes embeddings of others is an import."""
    is_import = isinstance(item.config, ExtractConfig) and isinstance(item.config.scene, PublishedEmbeddings)
    return "Import" if is_import else item.kind.capitalize()


def what(item: cached.JobFacts) -> str:
    """What a run works with: its backbone, its head and layers, or its decoder."""
    match item.config:
        case ExtractConfig():
            return str(item.config.backbone.name)
        case TrainConfig():
            layers = item.config.layers
            return f"{item.config.head.name} head" + (
                f", layers {', '.join(map(str, layers))}" if layers else ""
            )
        case FetchConfig():
            return item.config.title
        case MeasureConfig() | DatasetConfig() | ExportConfig():
            return item.config.title
        case LeaderboardConfig():
            return ", ".join(item.config.head_titles)
        case _:
            return _run_at(Path(item.config.decoder))


def on(item: cached.JobFacts) -> str:
    """The ground, or the store, of a run."""
    if isinstance(item.config, ExtractConfig):
        return item.config.scene.title
    if isinstance(item.config, FetchConfig):
        return "this machine"
    if isinstance(item.config, DatasetConfig):
        return item.config.imagery.title
    match item.config:
        case ApplyConfig() if all(item.config.titles) and item.config.titles:
            return ", ".join(item.config.titles)
        case ApplyConfig():
            grounds = item.config.ground
        case LeaderboardConfig():
            grounds = item.config.stores
        case _:
            grounds = (item.config.store,)
    return ", ".join(
        one.scene.title if isinstance(one, ExtractConfig)
        else Path(one.train.embeddings).name if isinstance(one, EmbeddingFilesConfig)
        else _run_at(Path(one).parent)
        for one in grounds
    )  # fmt: skip


def _run_at(folder: Path) -> str:
    """The run of a folder by the name that a person gave it, else by its own."""
    job = cached.job_named(folder.name)
    return (read_note(job.folder).name if job else "") or folder.name or str(folder)


def score(item: cached.JobFacts) -> float | None:
    """The watched metric on the test places; None of what has none."""
    value = _summary(item).get(_watch(item))
    return float(value) if isinstance(item.config, TrainConfig) and isinstance(value, float | int) else None


def result(item: cached.JobFacts) -> str:
    """The one thing that a list wants to say of how it ended."""
    summary, events = _summary(item), cached.events_of(item.job)
    if item.kind == "extract" and "patches" in summary:
        return f"{summary['patches']:,} patches"
    if item.kind == "apply" and "hectares" in summary:
        areas = "; ".join(f"{name}: {area:,.1f} ha" for name, area in summary["hectares"].items())
        return areas or f"{wording.count(len(summary['maps']), 'map')} of numbers"
    if item.kind in ("leaderboard", "dataset") and summary:
        return _told(summary)
    value = score(item)
    if value is not None:
        return f"{metrics.title(_watch(item), task_of(item.config.task).classes)}: {value:.3f}"
    if item.state in jobs_panel.ACTIVE:
        return progress_words.progress_of(item.job, events, item.state)[1]
    failed = [event.message for _, event in events if isinstance(event, happened.Failed)]
    return failed[-1][:80] if failed else ""


def _told(summary: dict[str, Any]) -> str:
    """What a leaderboard or a data set says of itself."""
    if "verdict" in summary:
        return str(summary["verdict"]["sentences"][0])
    return f"{summary['chips']:,} chips of {summary['fires']:,} fires" if "chips" in summary else ""


def _summary(item: cached.JobFacts) -> dict[str, Any]:
    ended = [event.summary for _, event in cached.events_of(item.job) if isinstance(event, happened.Finished)]
    return ended[-1] if ended else {}


def _watch(item: cached.JobFacts) -> str:
    return str(_summary(item).get("watch", "iou_burned"))


# Each with its key, and whether what is greatest comes first; runs without the value come last.
_Key = Callable[[cached.JobFacts], float | str | None]
_SORTS: dict[str, tuple[_Key, bool]] = {
    "Newest first": (lambda item: item.submitted_at, True),
    "Oldest first": (lambda item: item.submitted_at, False),
    "Highest score first": (score, True),
    "Largest first": (lambda item: disk.bytes_of(item.job.folder), True),
    "Longest first": (lambda item: item.seconds, True),
    "By name": (lambda item: read_note(item.job.folder).name.lower() or None, False),
}
