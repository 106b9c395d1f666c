"""The part of a report about the test: what the decoder beats, place by place, and where it fails."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from engine.learning.judging.comparison import measures, signed, titled, verdicts
from engine.learning.judging.curves import precision_recall, reliability
from engine.learning.judging.judgement import Judgement
from engine.learning.judging.tables import of_places
from engine.learning.judging.tally import classes_with_probability
from engine.learning.report.plots import Line, bars, lines
from engine.learning.tasks.task import Task
from engine.views.maps.probability_map import STEPS

_MOST_PLACES = 40
_LARGE = 10  # an area or a number with a unit, no score
Words = Callable[[str], str]
MakeTable = Callable[[Sequence[str], Iterable[tuple[str, Sequence[str]]]], str]


def methods(task: Task, rows: Sequence[Mapping[str, Any]], words: Words, table: MakeTable) -> str:
    """The decoder beside everything that it is compared with, and what it does not beat."""
    names = measures(task)
    has_gain = any("gain" in one for one in rows)
    head = [
        f"On the same test {'tiles' if task.is_per_tile else 'pixels'}",
        *(words(name) for name in names),
        *(["gain of the decoder"] if has_gain else []),
    ]
    body = [
        (
            titled(one["name"]),
            [*(_cell(one, name) for name in names), *([_cell(one, "gain")] if has_gain else [])],
        )
        for one in rows
    ]
    said = "".join(f"<li>{_safe(text)}</li>" for _, text in verdicts(rows, words(task.watch)))
    notes = " ".join(str(one["note"]) for one in rows if one["note"])
    paired = "The gain is paired: both are scored on the same draws of places. " if has_gain else ""
    return f"<ul>{said}</ul>{table(head, body)}<p>In brackets 95 % intervals, from drawing the test places anew. {paired}{_safe(notes)}</p>"


def places(task: Task, judgement: Judgement, words: Words, table: MakeTable) -> str:
    """The test places, the worst first; of many the forty worst."""
    head, *rows = of_places(judgement, task)
    body = [(str(row[0]), [_value(cell) for cell in row[1:]]) for row in rows[:_MOST_PLACES]]
    more = f"<p>The {_MOST_PLACES} worst of {len(rows)} places.</p>" if len(rows) > _MOST_PLACES else ""
    return f"{table([words(name) for name in head], body)}{more}"


def plots(task: Task, judgement: Judgement) -> str:
    """Precision and recall, reliability, and shares that are wrong by kind of pixel."""
    drawn = []
    held = [
        (task.classes[k].title, one)
        for k, one in zip(classes_with_probability(task), judgement.tallies.get("test", ()), strict=False)
    ]
    if held:
        drawn += [_precision_recall(held, judgement.threshold), _reliability(held)]
    for kinds, across, up in (
        (("inside", "outside"), "Distance to the edge of the scar", "Wrong (%)"),
        (("size",), "Area of the scar", "Missed (%)"),
        (("severity",), "Severity", "Missed (%)"),
    ):
        found = [one for one in judgement.strata if one.kind in kinds]
        if found:
            pixels = sum(one.pixels for one in found)
            named = {"outside": "called so outside of it", "inside": "missed inside of it"}
            groups = [(one.title, 100 * one.wrong, named.get(one.kind, "missed")) for one in found]
            sides = (
                "; first what is missed inside, then the false alarms outside" if "outside" in kinds else ""
            )
            drawn.append(
                bars(
                    groups,
                    across,
                    up,
                    f"{across}: share that is wrong, of {pixels:,} labelled test pixels{sides}.",
                )
            )
    return f"<div class='row'>{''.join(drawn)}</div>" if drawn else ""


def _precision_recall(held: Sequence[tuple[str, Any]], threshold: float | None) -> str:
    drawn = []
    for title, tally in held:
        found = precision_recall(tally)
        marks = []
        if threshold is not None:
            at = round(threshold * STEPS)
            marks = [(float(found.recall[at]), float(found.precision[at]), f"{threshold:g}")]
        drawn.append(
            Line(title, list(zip(found.recall.tolist(), found.precision.tolist(), strict=True)), marks)
        )
    averages = ", ".join(f"{title} {precision_recall(tally).average_precision:.3f}" for title, tally in held)
    chosen = "" if threshold is None else " The dot is the threshold that the validation places chose."
    return lines(
        drawn, "Recall", "Precision", f"Precision and recall; average precision: {averages}.{chosen}"
    )


def _reliability(held: Sequence[tuple[str, Any]]) -> str:
    drawn = []
    for title, tally in held:
        found = reliability(tally)
        drawn.append(Line(title, list(zip(found.probability.tolist(), found.share.tolist(), strict=True))))
    errors = ", ".join(f"{title} {reliability(tally).error:.3f}" for title, tally in held)
    diagonal = Line("as often as said", ((0, 0), (1, 1)), is_dotted=True)
    return lines(
        [*drawn, diagonal],
        "Mean probability",
        "Share that is so",
        f"Reliability; expected calibration error: {errors}. Dotted: as often as said.",
    )


def _cell(row: Mapping[str, Any], name: str) -> str:
    value, interval = row.get(name), row.get(f"{name}_interval")
    write = signed if name == "gain" else "{:.3f}".format
    if value is None:
        return "" if name == "gain" else "undefined"
    return f"{write(value)} ({write(interval[0])} to {write(interval[1])})" if interval else write(value)


def _value(cell: Any) -> str:
    if cell is None:
        return "undefined"
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.3f}" if abs(cell) < _LARGE else f"{cell:,.1f}"


def _safe(text: str) -> str:
    return html.escape(text, quote=True)
