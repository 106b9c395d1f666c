"""What a decoder learns: burn scars, or classes of one's own."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic import ValidationError

from engine.errors import ConfigError
from engine.jobs.complaints import in_words
from engine.jobs.configuration.config import SegmentationConfig, TrainConfig
from engine.learning.tasks.table import PRESETS, TITLES, task_of
from pages.ui.look import style
from pages.ui.look.fields import help_of

_OWN = "own"
_EXAMPLE = "0 unburnt\n1 low severity #f0e442\n2 high severity #d55e00"


def choose() -> str | SegmentationConfig:
    """A preset, or the classes that a person writes.

    Raises:
        ConfigError: classes that cannot be used.
    """
    words = {name: TITLES[name] for name in PRESETS} | {_OWN: "My own classes"}
    name = st.segmented_control(
        "What it learns", list(words), default=next(iter(words)), required=True, key="t_task",
        format_func=words.__getitem__, help=help_of(TrainConfig, "task"),
    )  # fmt: skip
    task = str(name) if name in PRESETS else _own_classes()
    titles = " · ".join(f"{one.value} {one.title}" for one in task_of(task).classes) or "numbers"
    style.facts((("Values of the labels", titles),), small=True)
    return task


def _own_classes() -> SegmentationConfig:
    text = st.text_area(
        "One class a line: value, name, and a colour if you like", _EXAMPLE, key="t_classes", height=110,
        help="The value in the label raster, the name for scores and legends, the colour on maps.",
    )  # fmt: skip
    try:
        return SegmentationConfig.model_validate(
            {"classes": [_class(line) for line in text.splitlines() if line.strip()]}
        )
    except ValidationError as err:
        raise ConfigError(f"The classes cannot be used: {in_words(err, SegmentationConfig)}.") from err


def _class(line: str) -> dict[str, Any]:
    """One line as the configuration has it; what is wrong with it the configuration says."""
    value, _, rest = line.strip().partition(" ")
    name, _, colour = rest.rpartition(" #")
    if not name:
        return {"value": value, "name": rest.strip()}
    return {"value": value, "name": name.strip(), "colour": f"#{colour.strip()}"}
