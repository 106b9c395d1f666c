"""Few-label curves as SVG: the score over the training places, one line a backbone and head."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.learning.leaderboard.report.picture import head_colours
from engine.learning.leaderboard.report.words import metric_words

_INK, _FAINT, _LINE = "#1c1916", "#6e6860", "#ddd7cd"
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 860, 420, 60, 250, 54, 60
_DASHES = ("", "7 4", "2 3", "10 3 2 3")
_APART = 14  # pixels between the names at the lines' ends


def curves_picture(summary: Mapping[str, Any]) -> str:
    """The curves; the same curves give the same bytes."""
    curves = summary["curves"]
    colours = head_colours(one["backbone"] for one in curves)
    heads = sorted({one["head"] for one in curves})
    places = sorted({point["places"] for one in curves for point in one["points"]})
    ends = [(one, _y(point["mean"])) for one in curves if (point := one["points"][-1])["mean"] is not None]
    body = "".join(_curve(one, colours, heads, places) for one in curves)
    title = "Few labels · SIMULATED data" if summary["is_simulated"] else "Few labels"
    lead = f"{metric_words(summary)}, test places; mean over seeds, lines: 95 % interval. The same places are drawn for all; all validation places choose."
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' height='{_HEIGHT}' role='img' "
        f"aria-label='{title}: {html.escape(lead, quote=True)}' font-family='system-ui,sans-serif' font-size='12'>"
        f"<rect width='{_WIDTH}' height='{_HEIGHT}' fill='#fff'/>"
        f"<text x='16' y='22' font-size='17' font-weight='700' fill='{_INK}'>{title}</text><text x='16' y='41' fill='{_FAINT}'>{html.escape(lead)}</text>"
        f"{_axes(places)}{body}{_names(ends, colours)}</svg>\n"
    )


def _curve(
    one: Mapping[str, Any], colours: Mapping[str, str], heads: Sequence[str], places: Sequence[int]
) -> str:
    colour, dash = colours[one["backbone"]], _DASHES[heads.index(one["head"]) % len(_DASHES)]
    known = [point for point in one["points"] if point["mean"] is not None]
    line = " ".join(f"{_x(point['places'], places)},{_y(point['mean'])}" for point in known)
    parts = [
        f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='2' stroke-dasharray='{dash}'/>"
    ]
    for point in known:
        x = _x(point["places"], places)
        if point["interval"]:
            low, high = map(_y, point["interval"])
            parts.append(
                f"<line x1='{x}' x2='{x}' y1='{low}' y2='{high}' stroke='{colour}' stroke-opacity='.45'/>"
            )
        parts.append(f"<circle cx='{x}' cy='{_y(point['mean'])}' r='3.5' fill='{colour}'/>")
    return "".join(parts)


def _names(ends: Sequence[tuple[Mapping[str, Any], float]], colours: Mapping[str, str]) -> str:
    """The name of each line at its end, moved apart where they would lie on one another."""
    parts, last = [], -math.inf
    for one, y in sorted(ends, key=lambda item: item[1]):
        last = max(y, last + _APART)
        name = f"{one['backbone']} · {one['head']}"
        shown = name if len(name) <= 34 else f"{name[:33]}…"
        parts.append(
            f"<text x='{_WIDTH - _RIGHT + 12}' y='{last + 4:.1f}' fill='{colours[one['backbone']]}'>{html.escape(shown)}</text>"
        )
    return "".join(parts)


def _axes(places: Sequence[int]) -> str:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for step in range(0, 11, 2):
        y = _y(step / 10)
        parts.append(f"<line x1='{_LEFT}' x2='{right}' y1='{y}' y2='{y}' stroke='{_LINE}'/>")
        parts.append(
            f"<text x='{_LEFT - 8}' y='{y + 4}' text-anchor='end' fill='{_FAINT}'>{step / 10:.1f}</text>"
        )
    for place in places:
        x = _x(place, places)
        parts.append(f"<text x='{x}' y='{bottom + 18}' text-anchor='middle' fill='{_FAINT}'>{place}</text>")
    middle = (_LEFT + right) / 2
    parts.append(
        f"<text x='{middle}' y='{bottom + 40}' text-anchor='middle' fill='{_FAINT}'>training places (logarithmic)</text>"
    )
    return "".join(parts)


def _x(place: int, places: Sequence[int]) -> float:
    low, high = math.log(places[0]), math.log(places[-1])
    share = (math.log(place) - low) / (high - low) if high > low else 0.5
    return round(_LEFT + 12 + share * (_WIDTH - _LEFT - _RIGHT - 24), 1)


def _y(value: float) -> float:
    return round(_HEIGHT - _BOTTOM - min(max(value, 0.0), 1.0) * (_HEIGHT - _TOP - _BOTTOM - 6), 1)
