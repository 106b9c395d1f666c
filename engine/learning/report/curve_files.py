"""The curves of a training as files: a table for other programs, and one picture for slides and papers."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from engine.files import write_atomic
from engine.jobs.events import EpochDone

_WIDTH, _HEIGHT, _COLUMNS = 900, 520, 2
_LEFT, _RIGHT, _TOP, _BOTTOM = 96, 24, 64, 64
_PAPER, _INK, _SOFT, _GRID = "#ffffff", "#1c1916", "#6e6860", "#dddad4"
_LINES = (("train", "Training", "#2f6f8f"), ("validation", "Validation", "#b8431a"))
_TICKS = 4


def write_curves_table(history: Sequence[EpochDone], out: Path) -> Path:
    """One row an epoch: each metric on the training and on the validation places, and whether it is the one kept.

    Raises:
        DiskFull: no room.
    """
    names = _names(history)
    kept = _kept(history)
    head = ["epoch", *(f"{split}_{name}" for split, _, _ in _LINES for name in names), "is_kept"]
    rows = [
        [
            one.epoch,
            *(getattr(one, split).get(name, "") for split, _, _ in _LINES for name in names),
            "yes" if one.epoch == kept else "no",
        ]
        for one in history
    ]

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([head, *rows])

    write_atomic(out, write)
    return out


def write_curves_picture(
    history: Sequence[EpochDone], titles: Mapping[str, str], heading: str, out: Path
) -> Path:
    """Every metric of `titles` over the epochs, side by side, as one PNG.

    Args:
        titles: metric -> its name for people.
        heading: above all curves: which training, and that it is simulated where it is.

    Raises:
        DiskFull: no room.
    """
    names = [name for name in titles if _known(history, name)]
    rows = max(1, math.ceil(len(names) / _COLUMNS))
    page = Image.new("RGB", (_COLUMNS * _WIDTH, rows * _HEIGHT + _TOP), _PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((_LEFT, 20), heading, _INK, ImageFont.load_default(26))
    for index, name in enumerate(names):
        corner = index % _COLUMNS * _WIDTH, index // _COLUMNS * _HEIGHT + _TOP
        _curve(draw, corner, history, name, titles[name])
    write_atomic(out, lambda temporary: page.save(temporary, "PNG", optimize=True))
    return out


def _curve(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], history: Sequence[EpochDone], name: str, title: str
) -> None:
    low, high = _range(history, name)
    first, last = history[0].epoch, history[-1].epoch

    def at(epoch: int, value: float) -> tuple[float, float]:
        across = (epoch - first) / (last - first) if last > first else 0.5
        down = (high - value) / (high - low)
        return (
            corner[0] + _LEFT + (_WIDTH - _LEFT - _RIGHT) * across,
            corner[1] + _TOP + (_HEIGHT - _TOP - _BOTTOM) * down,
        )

    _axes(draw, corner, (low, high), (first, last), title)
    for split, _, colour in _LINES:
        points = [
            at(one.epoch, one_value) for one in history if (one_value := _value(one, split, name)) is not None
        ]
        if len(points) > 1:
            draw.line(points, colour, 3, joint="curve")
        if len(points) < 3:
            for x, y in points:
                draw.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
    kept = _kept(history)
    if kept is not None:
        x, top = at(kept, high)
        draw.line((x, top, x, at(kept, low)[1]), _SOFT, 1)


def _axes(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], limits: tuple[float, float], epochs: tuple[int, int], title: str
) -> None:  # fmt: skip
    """Title, legend, lines of the grid with their values, and the first and last epoch."""
    text, (left, top) = ImageFont.load_default(18), corner
    draw.text((left + _LEFT, top + 8), title, _INK, ImageFont.load_default(22))
    for index, (_, words, colour) in enumerate(_LINES):
        x = left + _WIDTH - _RIGHT - 290 + 150 * index
        draw.line((x, top + 20, x + 28, top + 20), colour, 3)
        draw.text((x + 36, top + 9), words, _SOFT, text)
    for index in range(_TICKS + 1):
        y = top + _TOP + (_HEIGHT - _TOP - _BOTTOM) * index / _TICKS
        value = limits[1] - (limits[1] - limits[0]) * index / _TICKS
        draw.line((left + _LEFT, y, left + _WIDTH - _RIGHT, y), _GRID, 1)
        draw.text((left + _LEFT - 10, y), f"{value:.3g}", _SOFT, text, anchor="rm")
    bottom = top + _HEIGHT - _BOTTOM + 12
    draw.text(
        (left + (_LEFT + _WIDTH - _RIGHT) / 2, bottom),
        "Epoch; upright line: the one kept",
        _SOFT,
        text,
        anchor="mt",
    )
    ends = (left + _LEFT, left + _WIDTH - _RIGHT) if epochs[1] > epochs[0] else ()
    for x, epoch, anchor in zip(ends, epochs, ("lt", "rt"), strict=False):
        draw.text((x, bottom), str(epoch), _SOFT, text, anchor=anchor)


def _range(history: Sequence[EpochDone], name: str) -> tuple[float, float]:
    """Lowest and highest value of the axis: 0 to 1 for shares, else from 0 or below."""
    known = _known(history, name)
    if name != "loss" and min(known) >= 0 and max(known) <= 1:
        return 0.0, 1.0
    low, high = min(0.0, *known), max(known)
    return low, high if high > low else low + 1


def _known(history: Sequence[EpochDone], name: str) -> list[float]:
    values = (_value(one, split, name) for one in history for split, _, _ in _LINES)
    return [value for value in values if value is not None]


def _value(one: EpochDone, split: str, name: str) -> float | None:
    value = getattr(one, split).get(name)
    return float(value) if value is not None and math.isfinite(value) else None


def _names(history: Sequence[EpochDone]) -> list[str]:
    return list(dict.fromkeys(name for one in history for name in (*one.train, *one.validation)))


def _kept(history: Sequence[EpochDone]) -> int | None:
    """The epoch whose weights are the decoder's."""
    return next((one.epoch for one in reversed(history) if one.is_best), None)
