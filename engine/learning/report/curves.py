"""Curves of a training as a drawing inside HTML (SVG): one line for training, one for validation."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from engine.jobs.events import EpochDone

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 420, 220, 52, 34, 14
_LINES = (("train", "#2f6f8f", ""), ("validation", "#b8431a", "6 3"))
_TICKS = 4


def curve(history: Sequence[EpochDone], name: str, title: str) -> str:
    """The values of a metric epoch by epoch; empty where no epoch has one."""
    values = {split: [getattr(one, split).get(name, math.nan) for one in history] for split, _, _ in _LINES}
    known = [value for line in values.values() for value in line if math.isfinite(value)]
    if not known:
        return ""
    low, high = (
        (0.0, 1.0)
        if max(known) <= 1 and min(known) >= 0 and name != "loss"
        else (min(0.0, *known), max(known))
    )
    high = high if high > low else low + 1

    def at(epoch: float, value: float) -> tuple[float, float]:
        across = _LEFT + (_WIDTH - _LEFT - 10) * (epoch - 1) / max(len(history) - 1, 1)
        return across, _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    parts = [_axis(at, low, high, len(history))]
    for split, colour, dashes in _LINES:
        points = [at(index + 1, value) for index, value in enumerate(values[split]) if math.isfinite(value)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        )
    words = html.escape(title)
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">{"".join(parts)}</svg>'
        f"<figcaption>{words} by epoch; solid: training, dashed: validation.</figcaption></figure>"
    )


def _axis(at: object, low: float, high: float, epochs: int) -> str:
    assert callable(at)
    parts = []
    for index in range(_TICKS + 1):
        value = low + (high - low) * index / _TICKS
        x, y = at(1, value)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    for epoch in sorted({1, epochs}):
        x, _ = at(epoch, low)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{epoch}</text>')
    return "".join(parts)
