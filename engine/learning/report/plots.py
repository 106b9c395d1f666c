"""Plots of a test as drawings inside HTML (SVG): lines with marks, and bars, each with the titles of its axes."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 420, 250, 56, 62, 14, 10
_COLOURS = ("#b8431a", "#0072b2", "#007a5a", "#a8519a", "#8a6d00", "#2b2b2b")
_TICKS = 4


@dataclass(frozen=True)
class Line:
    """Points of a line; those that are no numbers are left out.

    Attributes:
        marks: points that stand out, with their words.
        is_dotted: a line to compare with.
    """

    name: str
    points: Sequence[tuple[float, float]]
    marks: Sequence[tuple[float, float, str]] = ()
    is_dotted: bool = False


def lines(drawn: Sequence[Line], across: str, up: str, caption: str) -> str:
    """Lines over axes from 0 to 1."""
    parts = [_frame(across, up, [(k / _TICKS, f"{k / _TICKS:.2f}") for k in range(_TICKS + 1)], 1.0, "")]
    for number, line in enumerate(drawn):
        colour = "#8d857b" if line.is_dotted else _COLOURS[number % len(_COLOURS)]
        known = [_at(x, y) for x, y in line.points if math.isfinite(x) and math.isfinite(y)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
        dashes = "3 4" if line.is_dotted else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        )
        for x, y, words in line.marks:
            if math.isfinite(x) and math.isfinite(y):
                left, top = _at(x, y)
                parts.append(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="5" fill="{colour}"/>')
                parts.append(
                    f'<text x="{left - 8:.1f}" y="{top + 14:.1f}" text-anchor="end">{html.escape(words)}</text>'
                )
    return _figure(parts, caption)


def bars(groups: Sequence[tuple[str, float, str]], across: str, up: str, caption: str) -> str:
    """Bars of shares in percent.

    Args:
        groups: title of a bar, percent, and the kind that gives its colour.
    """
    most = 4 * math.ceil(max([*(value for _, value, _ in groups), 1.0]) / 4)  # whole numbers at every line
    ticks = [(k / _TICKS, f"{most * k / _TICKS:.0f}") for k in range(_TICKS + 1)]
    parts = [_frame(across, up, ticks, 1.0, "y")]
    kinds = list(dict.fromkeys(kind for *_, kind in groups))
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(groups), 1)
    for number, (title, value, kind) in enumerate(groups):
        left, (_, top) = _LEFT + step * (number + 0.15), _at(0, value / most)
        height = _HEIGHT - _BOTTOM - top
        colour = _COLOURS[kinds.index(kind) % len(_COLOURS)]
        parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{0.7 * step:.1f}" height="{height:.1f}" fill="{colour}"/>'
        )
        x, y = left + 0.4 * step, _HEIGHT - _BOTTOM + 9
        parts.append(
            f'<text x="{x:.1f}" y="{y}" font-size="9" text-anchor="end" transform="rotate(-28 {x:.1f} {y})">{html.escape(title)}</text>'
        )
    return _figure(parts, caption)


def _frame(across: str, up: str, ticks: Sequence[tuple[float, str]], most: float, only: str) -> str:
    """Lines of the grid with their values, and the titles of both axes."""
    parts = []
    for value, words in ticks:
        x, y = _at(value, value / most)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{words}</text>')
        if not only:
            parts.append(
                f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{words}</text>'
            )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{html.escape(across)}</text>')
    high = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(
        f'<text x="12" y="{high}" text-anchor="middle" transform="rotate(-90 12 {high})">{html.escape(up)}</text>'
    )
    return "".join(parts)


def _at(x: float, y: float) -> tuple[float, float]:
    """Where a point lies, both from 0 to 1."""
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * x, _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - y)


def _figure(parts: Sequence[str], caption: str) -> str:
    words = html.escape(caption)
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">{"".join(parts)}</svg>'
        f"<figcaption>{words}</figcaption></figure>"
    )
