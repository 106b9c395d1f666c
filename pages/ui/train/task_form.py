"""What a decoder learns: burn scars and their presets, or classes, numbers or classes of tiles of one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import streamlit as st
from pydantic import BaseModel, ValidationError

from engine.errors import ConfigError
from engine.jobs.complaints import in_words
from engine.jobs.configuration.config import (
    ClassConfig,
    RegressionConfig,
    SegmentationConfig,
    TileClassificationConfig,
    TrainConfig,
)
from engine.learning.tasks.table import PRESETS, TITLES, task_of
from pages.ui.look import style
from pages.ui.look.fields import help_of
from pages.ui.train.began import begin

_OWN: Mapping[str, str] = {
    "own": "My own classes", "own_numbers": "My own numbers", "own_tiles": "My own kinds of tiles",
}  # fmt: skip
_WEIGHTED = re.compile(r"(.*\S)\s+\*\s*([\d.]+)")
_EXAMPLE = "0 unburnt\n1 low severity #f0e442\n2 high severity #d55e00"

_Own = TypeVar("_Own", bound=BaseModel)
TaskGiven = str | SegmentationConfig | RegressionConfig | TileClassificationConfig


def choose() -> TaskGiven:
    """A preset, or what a person writes of a task of their own.

    Raises:
        ConfigError: classes or numbers that cannot be used.
    """
    words = {name: TITLES[name] for name in PRESETS} | dict(_OWN)
    begin("t_task", next(iter(words)))
    name = st.segmented_control(
        "What it learns", list(words), required=True, key="t_task", wrap=True,
        format_func=words.__getitem__, help=help_of(TrainConfig, "task"),
    )  # fmt: skip
    task = _given(str(name))
    learned = task_of(task)
    titles = " · ".join(f"{one.value} {one.title}" for one in learned.classes)
    numbers = f"numbers in {learned.unit}" if learned.unit else "numbers"
    style.facts((("Values of the labels", titles or numbers),), small=True)
    return task


def _given(name: str) -> TaskGiven:
    match name:
        case "own":
            return _checked(SegmentationConfig, {"classes": _classes(), "missing": _missing()}, "classes")
        case "own_numbers":
            return _checked(RegressionConfig, _numbers(), "numbers")
        case "own_tiles":
            return _checked(TileClassificationConfig, _tiles(), "classes")
        case _:
            return name


def state_of(task: TaskGiven) -> dict[str, Any]:
    """What the session must hold, so that the form asks for a task."""
    if isinstance(task, str):
        return {"t_task": task}
    missing = {"t_missing": ", ".join(f"{value:g}" for value in task.missing)}
    if isinstance(task, RegressionConfig):
        low, high = task.shown or (None, None)
        return {
            "t_task": "own_numbers",
            "t_quantity": task.quantity,
            "t_unit": task.unit,
            "t_low": low,
            "t_high": high,
            **missing,
        }
    lines = {"t_classes": "\n".join(map(_line, task.classes)), **missing}
    if isinstance(task, SegmentationConfig):
        return {"t_task": "own", **lines}
    return {"t_task": "own_tiles", "t_several": task.several, "t_least": 100 * task.least_share, **lines}


def _line(one: ClassConfig) -> str:
    """A class as a person writes it; the way back of `_class`."""
    weight = "" if one.weight == 1 else f" *{one.weight:g}"
    return f"{one.value} {one.name}{f' {one.colour}' if one.colour else ''}{weight}"


def _missing() -> list[str]:
    """Values of labels that mean missing, as they are written."""
    text = st.text_input(
        "Label values that mean missing, besides -1 and nodata", key="t_missing", placeholder="255",
        help=help_of(SegmentationConfig, "missing"),
    )  # fmt: skip
    return text.replace(",", " ").split()


def _checked(model: type[_Own], tree: dict[str, Any], what: str) -> _Own:
    try:
        return model.model_validate(tree)
    except ValidationError as err:
        raise ConfigError(f"The {what} cannot be used: {in_words(err, model)}.") from err


def _classes() -> list[dict[str, Any]]:
    begin("t_classes", _EXAMPLE)
    text = st.text_area(
        "One class a line: value, name, and a colour if you like", key="t_classes", height=110,
        help="The value in the label raster, the name for scores and legends, the colour on maps. *2 at the end of a line doubles "
        "the weight of the class in cross-entropy.",
    )  # fmt: skip
    return [_class(line) for line in text.splitlines() if line.strip()]


def _class(line: str) -> dict[str, Any]:
    """One line as the configuration has it; what is wrong with it the configuration says."""
    weighted = _WEIGHTED.fullmatch(line.strip())
    plain, weight = (weighted[1], {"weight": weighted[2]}) if weighted else (line.strip(), {})
    value, _, rest = plain.partition(" ")
    name, _, colour = rest.rpartition(" #")
    if not name:
        return {"value": value, "name": rest.strip(), **weight}
    return {"value": value, "name": name.strip(), "colour": f"#{colour.strip()}", **weight}


def _numbers() -> dict[str, Any]:
    """What the number is, its unit, and the ends of its colour bar."""
    one, two = st.columns(2)
    quantity = one.text_input("What the number is", key="t_quantity", placeholder="canopy height", max_chars=40,
                              help=help_of(RegressionConfig, "quantity"))  # fmt: skip
    unit = two.text_input(
        "Its unit", key="t_unit", placeholder="m", max_chars=20, help=help_of(RegressionConfig, "unit")
    )
    low = one.number_input(
        "Colour bar from", value=None, key="t_low", format="%g", help=help_of(RegressionConfig, "shown")
    )
    high = two.number_input("to", value=None, key="t_high", format="%g")
    shown = None if low is None or high is None else (low, high)
    return {
        "name": "regression",
        "quantity": quantity.strip() or "value",
        "unit": unit.strip(),
        "shown": shown,
        "missing": _missing(),
    }


def _tiles() -> dict[str, Any]:
    """The classes, whether a tile may have several, and from which share of it one is there."""
    classes = _classes()
    several = st.toggle(
        "A tile may have several classes", key="t_several", help=help_of(TileClassificationConfig, "several")
    )
    begin("t_least", 2.0)
    least = st.number_input(
        "A class is there from this share of the tile (%)", 0.1, 100.0, step=1.0, key="t_least",
        help=help_of(TileClassificationConfig, "least_share"),
    )  # fmt: skip
    return {
        "name": "tile_classification",
        "classes": classes,
        "several": several,
        "least_share": round(least / 100, 6),
        "missing": _missing(),
    }
