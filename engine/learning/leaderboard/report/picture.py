"""The picture of a leaderboard as SVG: a dot a row with its interval, a small mark a seed, a line for the baseline."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.learning.leaderboard.report.words import metric_words, row_name

# Told apart with any colour vision (Okabe & Ito 2008, "Color universal design"), dark enough on white.
_COLOURS = ("#b8431a", "#0072b2", "#007a5a", "#a8519a", "#8a6d00", "#2b2b2b")
_INK, _FAINT, _LINE = "#1c1916", "#6e6860", "#ddd7cd"
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 860, 330, 70, 26, 62
_LONGEST, _LINE_PX = 44, 14


def picture(summary: Mapping[str, Any]) -> str:
    """The rows from the best down; the same rows give the same bytes."""
    rows, metric = summary["rows"], summary["metric"]
    low, high = _span([*rows, *summary["baselines"]], metric)
    colours = head_colours(row["head"] for row in rows)
    # The names of the baselines stand above the rows, one below the other.
    top = _TOP + _LINE_PX * len(summary["baselines"])
    bottom = top + _ROW * len(rows)
    parts = [_axis(low, high, top, bottom, metric_words(summary))]
    parts += [
        _baseline(one, metric, low, high, bottom, top - 8 - _LINE_PX * number)
        for number, one in enumerate(summary["baselines"])
    ]
    parts += [
        _row(row, metric, top + _ROW * number + _ROW // 2, low, high, colours)
        for number, row in enumerate(rows)
    ]
    return _framed(summary, "".join(parts), bottom + 66, _legend(colours, bottom + 52))


def head_colours(heads: Iterable[str]) -> dict[str, str]:
    """A colour a head, in the order of their names."""
    names = sorted(set(heads))
    return {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}


def _span(rows: Sequence[Mapping[str, Any]], metric: str) -> tuple[float, float]:
    """From a little below the lowest end to a little above the highest, in steps of a twentieth."""
    values = [
        value
        for row in rows
        for value in (row[f"{metric}_mean"], *(row["interval"] or ()))
        if value is not None
    ]
    values = values or [0.0, 1.0]
    low, high = min(values), max(values)
    low = max(0.0, int(low * 20 - 0.5) / 20) if low >= 0 else int(low * 20 - 1.5) / 20
    high = (int(high * 20) + 1) / 20
    return low, max(high, low + 0.1)


def _x(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low)
    return round(_LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT), 1)


def _axis(low: float, high: float, top: int, bottom: int, title: str) -> str:
    steps = max(1, round((high - low) / 0.05))
    every = -(-steps // 8)
    ticks = [low + 0.05 * step for step in range(0, steps + 1, every)]
    lines = "".join(
        f"<line x1='{_x(tick, low, high)}' x2='{_x(tick, low, high)}' y1='{top}' y2='{bottom}' stroke='{_LINE}'/>"
        f"<text x='{_x(tick, low, high)}' y='{bottom + 15}' text-anchor='middle' fill='{_FAINT}'>{tick:.2f}</text>"
        for tick in ticks
    )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return f"{lines}<text x='{middle}' y='{bottom + 32}' text-anchor='middle' fill='{_FAINT}'>{html.escape(title)}, test places</text>"


def _row(
    row: Mapping[str, Any], metric: str, y: int, low: float, high: float, colours: Mapping[str, str]
) -> str:
    colour, mean = colours[row["head"]], row[f"{metric}_mean"]
    weight = " font-weight='700'" if row.get("is_chosen") else ""
    name = row_name(row)
    shown = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    parts = [
        f"<text x='{_LEFT - 14}' y='{y + 4}' text-anchor='end' fill='{_INK}'{weight}>{html.escape(shown)}</text>"
    ]
    if row["interval"]:
        ends = [_x(end, low, high) for end in row["interval"]]
        parts.append(
            f"<line x1='{ends[0]}' x2='{ends[1]}' y1='{y}' y2='{y}' stroke='{colour}' stroke-width='2'/>"
        )
    parts += [
        f"<circle cx='{_x(own[metric], low, high)}' cy='{y}' r='2.2' fill='#fff' stroke='{colour}'/>"
        for own in row["by_seed"]
        if own.get(metric) is not None
    ]
    if mean is not None:
        parts.append(f"<circle cx='{_x(mean, low, high)}' cy='{y}' r='5' fill='{colour}'/>")
        parts.append(f"<text x='{_WIDTH - _RIGHT + 14}' y='{y + 4}' fill='{_INK}'{weight}>{mean:.3f}</text>")
    return f"<g><title>{html.escape(name)}</title>{''.join(parts)}</g>"


def _baseline(row: Mapping[str, Any], metric: str, low: float, high: float, bottom: int, y: int) -> str:
    value = row[f"{metric}_mean"]
    if value is None:
        return ""
    x = _x(value, low, high)
    anchor = "end" if x > (_LEFT + _WIDTH) / 2 else "start"
    return (
        f"<line x1='{x}' x2='{x}' y1='{y + 4}' y2='{bottom}' stroke='{_INK}' stroke-dasharray='4 3'/>"
        f"<text x='{x}' y='{y}' text-anchor='{anchor}' fill='{_INK}'>{html.escape(row['backbone'])} {value:.3f}</text>"
    )


def _legend(colours: Mapping[str, str], y: int) -> str:
    parts, x = [], _LEFT
    for name, colour in colours.items():
        parts.append(
            f"<circle cx='{x}' cy='{y - 4}' r='5' fill='{colour}'/><text x='{x + 10}' y='{y}' fill='{_FAINT}'>{html.escape(name)}</text>"
        )
        x += 34 + 8 * len(name)
    return "".join(parts)


def _framed(summary: Mapping[str, Any], body: str, height: int, legend: str) -> str:
    places = summary["rows"][0]["places"]
    title = "Leaderboard · SIMULATED data" if summary["is_simulated"] else "Leaderboard"
    seeds = len(summary["rows"][0]["seeds"])
    lead = (
        f"Dot: {'one seed' if seeds == 1 else f'mean over {seeds} seeds'}, rings: seeds, line: 95 % interval over {places} test "
        f"places, bold: chosen on validation."
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' width='{_WIDTH}' height='{height}' role='img' "
        f"aria-label='{html.escape(summary['verdict']['sentences'][0], quote=True)}' font-family='system-ui,sans-serif' font-size='12'>"
        f"<rect width='{_WIDTH}' height='{height}' fill='#fff'/>"
        f"<text x='16' y='24' font-size='17' font-weight='700' fill='{_INK}'>{html.escape(title)}</text>"
        f"<text x='16' y='43' fill='{_FAINT}'>{html.escape(lead)}</text>{body}{legend}</svg>\n"
    )
