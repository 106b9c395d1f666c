"""Every task that can be trained: presets by name, and segmentation with classes of one's own."""

from __future__ import annotations

import colorsys

from engine.jobs.config import ClassConfig, SegmentationConfig
from engine.learning.tasks.segmentation import Segmentation
from engine.learning.tasks.task import Colour, Task, TaskClass

BURN_SCARS = Segmentation(
    name="burn_scars",
    classes=(
        TaskClass("unburned", "not burnt", 0, (204, 204, 204, 64)),
        TaskClass("burned", "burnt", 1, (213, 94, 0, 255)),
    ),
    band_name="burnt",
)
PRESETS = {"burn_scars": BURN_SCARS}
# Okabe & Ito 2008, "Color universal design", but for black, which reads as a gap on a map.
_PALETTE = ("#009e73", "#d55e00", "#0072b2", "#f0e442", "#cc79a7", "#56b4e9", "#e69f00")
_GOLDEN_ANGLE = 0.381966  # of a turn: hues that follow one another lie far apart


def task_of(config: str | SegmentationConfig) -> Task:
    """The task that a configuration names."""
    if isinstance(config, str):
        return PRESETS[config]
    classes = tuple(
        TaskClass(one.key, one.name, one.value, _colour(one, index), one.weight)
        for index, one in enumerate(config.classes)
    )
    return Segmentation("segmentation", classes, config.missing)


def _colour(one: ClassConfig, index: int) -> Colour:
    """A class's colour as configured, or the next of a palette, then of the circle of hues."""
    if one.colour is None and index >= len(_PALETTE):
        red, green, blue = colorsys.hls_to_rgb(index * _GOLDEN_ANGLE % 1, 0.55, 0.6)
        return round(255 * red), round(255 * green), round(255 * blue), 255
    text = one.colour or _PALETTE[index]
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16), 255
