"""The decoder beside what it must beat: verdicts in words, and the table of methods on the same test places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import streamlit as st

from engine.learning.judging.comparison import measures, signed, titled, verdicts
from engine.learning.tasks.task import Task
from pages.ui.look import metrics, style, wording

_ABSENT, _NO_BREAK = "–", "\u00a0"


def verdict(task: Task, rows: Sequence[Mapping[str, Any]]) -> None:
    """Whether the decoder beats each method, the ones that it does not beat first."""
    said = verdicts(rows, metrics.titled(task.watch, task))
    lost = [words for is_beaten, words in said if not is_beaten]
    won = [words for is_beaten, words in said if is_beaten]
    if lost:
        st.warning("  \n".join(wording.plain(words) for words in lost), icon=":material/balance:")
    if won:
        st.success("  \n".join(wording.plain(words) for words in won), icon=":material/check:")


def table(task: Task, rows: Sequence[Mapping[str, Any]]) -> None:
    """Every method on the same test pixels: scores, 95 % intervals over places, and the decoder's gain."""
    names = measures(task)
    has_gain = any("gain" in one for one in rows)
    head = ["On the test places", *(metrics.titled(name, task) for name in names)]
    body = []
    for one in rows:
        cells = [_with_interval(one, name) for name in names]
        cells += [_with_interval(one, "gain")] if has_gain else []
        body.append((titled(one["name"]), cells))
    style.table([*head, *(["Decoder's gain"] if has_gain else [])], body, wraps=True)
    style.small(" ".join(_notes(task, rows)))


def _notes(task: Task, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the numbers are."""
    if rows[0].get(f"{task.watch}_interval"):
        yield f"Below each score its 95 % interval, from drawing the {rows[0]['places']} test places anew."
    else:
        yield f"{wording.count(rows[0]['places'], 'test place')}: too few for intervals, which need three."
    if any(one.get("gain_interval") for one in rows):
        yield "The gain is paired: both are scored on the same draws of places."
    if "miou" in measures(task) and len(task.classes) == 2:
        yield "The mean IoU of both classes is what GEO-Bench-2 and PANGAEA report."
    for one in rows:
        if one["note"]:
            yield f"{titled(one['name'])}: {one['note'][0].lower()}{one['note'][1:]}"


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    value, interval = row.get(name), row.get(f"{name}_interval")
    write = signed if name == "gain" else _plain
    if value is None:
        return _ABSENT if name == "gain" else "undefined"
    if not interval:
        return write(value)
    ends = f"{write(interval[0])} to {write(interval[1])}".replace(" ", _NO_BREAK)
    return f"{write(value)}\n{ends}"


def _plain(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
