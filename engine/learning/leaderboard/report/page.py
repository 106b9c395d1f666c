"""A leaderboard as one HTML page without a link: verdict, picture, table, curves, matrices, and others' figures apart."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.learning.leaderboard.report import published
from engine.learning.leaderboard.report.curves import curves_picture
from engine.learning.leaderboard.report.picture import picture
from engine.learning.leaderboard.report.words import between, metric_words, number, row_name

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c1916;max-width:980px;margin:2rem auto;padding:0 1.2rem}
h1{font-size:1.7rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:1.7rem 0 .4rem;border-bottom:1px solid #ddd7cd}
.caveats{background:#fbeee6;border-left:4px solid #c9501f;padding:.5rem .9rem;margin:1rem 0}.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.25rem .9rem .25rem 0;border-bottom:1px solid #e6e1d8;text-align:right}
th:first-child{text-align:left;font-weight:500}thead th{font-size:.85rem;color:#6e6860}.chosen th{font-weight:700}svg{max-width:100%;height:auto}
.apart{border:1px dashed #b3a999;padding:.4rem 1rem;margin:2rem 0}small{color:#6e6860}
"""


def page(summary: Mapping[str, Any]) -> str:
    """The whole page; every word that is not ours is escaped."""
    title = "Leaderboard of backbones and decoders"
    body = [
        f"<h1>{title}</h1>", _caveats(summary),
        "".join(f"<p><b>{_safe(one)}</b></p>" for one in summary["verdict"]["sentences"]),
        picture(summary), "<h2>All rows</h2>", _rows(summary), _pairs(summary), _curves(summary), _travel(summary),
        _published(summary),
    ]  # fmt: skip
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title>"
    return f"<!doctype html><html lang='en'><head>{head}<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"


def _caveats(summary: Mapping[str, Any]) -> str:
    places = summary["places"]
    found = [
        f"{places['train']} places taught, {places['validation']} chose epochs and rows, {places['test']} tested once.",
        *summary["notes"],
    ]
    if any(row["is_random"] for row in summary["rows"]):
        found.insert(0, "Some rows have RANDOM WEIGHTS: their backbone was never trained.")
    if summary["is_simulated"]:
        found.insert(0, "SIMULATED data: no satellite has seen these scenes, and no such fires burned. Scores say nothing of real ground.")  # fmt: skip
    return f"<div class='caveats'><ul>{''.join(f'<li>{_safe(one)}</li>' for one in found)}</ul></div>"


def _rows(summary: Mapping[str, Any]) -> str:
    metric = summary["metric"]
    heads = (metric_words(summary), "deviation", "95 % interval", "mean IoU", "validation", "minus the leading row", "s a decoder", "s to extract", "MB")  # fmt: skip
    lines = []
    for row in (*summary["rows"], *summary["baselines"]):
        gap = row["to_leading"] or {"value": None, "interval": None}
        if "validation_mean" not in row:  # a baseline keeps the difference the other way round
            gap = {key: _negated(value) for key, value in gap.items()}
        lines.append((
            row_name(row) + (" · simulated" if row["is_simulated"] else ""),
            (number(row[f"{metric}_mean"]), number(row.get(f"{metric}_std")), between(row["interval"]), number(row.get("miou_mean")),
             number(row.get("validation_mean")), _signed(gap), _short(row.get("seconds")), _short(row.get("extract_seconds")),
             _short(None if row.get("bytes") is None else row["bytes"] / 1e6)),
            bool(row.get("is_chosen")),
        ))  # fmt: skip
    return (
        _table(("", *heads), lines)
        + "<small>Bold: the row of its backbone that validation chose. Intervals draw the test places anew.</small>"
    )


def _pairs(summary: Mapping[str, Any]) -> str:
    if not summary["pairs"]:
        return ""
    lines = [
        (f"{row_name(one['better'])} minus {row_name(one['other'])}", (_signed(one), "yes" if one["is_clear"] else "no"), False)
        for one in summary["pairs"]
    ]  # fmt: skip
    return "<h2>Differences on the same places</h2>" + _table(
        ("", "difference and 95 % interval", "told apart"), lines
    )


def _curves(summary: Mapping[str, Any]) -> str:
    if not summary["curves"]:
        return ""
    points = summary["curves"][0]["points"]
    heads = [f"{100 * one['share']:g} % · {one['places']}" for one in points]
    lines = [
        (f"{one['backbone']} · {one['head']}", [number(point["mean"]) for point in one["points"]], False)
        for one in summary["curves"]
    ]
    return f"<h2>Few labels</h2>{curves_picture(summary)}{_table(('share · places', *heads), lines)}"


def _travel(summary: Mapping[str, Any]) -> str:
    if not summary["travel"]:
        return ""
    parts = [
        "<h2>Does it travel?</h2><p>A line for what was trained on, a column for what was tested on: always places that did not train.</p>"
    ]
    for one in summary["travel"]:
        lines = [
            (line["trained_on"], [number(score["mean"]) for score in line["scores"]], False)
            for line in one["lines"]
        ]
        parts.append(
            f"<h3>Between {_safe(one['by'])}s: {_safe(one['backbone'])} · {_safe(one['head'])}</h3>{_table(('trained on', *one['tested_on']), lines)}"
        )
    return "".join(parts)


def _published(summary: Mapping[str, Any]) -> str:
    if summary["task"] != "burn_scars":
        return ""
    lines = [(one.model, (f"{one.frozen:.3f}", f"{one.fine_tuned:.3f}"), False) for one in published.FIGURES]
    table = _table(("", "frozen", "fine-tuned"), lines)
    return f"<div class='apart'><h2>Published by others</h2><p>{_safe(published.SETTING)}</p>{table}<small>Source: {_safe(published.SOURCE)}</small></div>"


def _table(heads: Sequence[str], lines: Iterable[tuple[str, Sequence[str], bool]]) -> str:
    head = "".join(f"<th scope='col'>{_safe(one)}</th>" for one in heads)
    body = "".join(
        f"<tr{' class=chosen' if is_chosen else ''}><th scope='row'>{_safe(name)}</th>{''.join(f'<td>{_safe(cell)}</td>' for cell in cells)}</tr>"
        for name, cells, is_chosen in lines
    )
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _signed(found: Mapping[str, Any]) -> str:
    """A difference with its interval."""
    if found["value"] is None:
        return "–"
    ends = "" if found["interval"] is None else f" [{found['interval'][0]:+.3f}, {found['interval'][1]:+.3f}]"
    return f"{found['value']:+.3f}{ends}"


def _negated(value: Any) -> Any:
    if isinstance(value, list):
        return [-end for end in reversed(value)]
    return -value if isinstance(value, float) else value


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _safe(text: object) -> str:
    return html.escape(str(text))
