"""Every task that can be trained: presets by name, and tasks of one's own."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping

from engine.jobs.configuration.config import (
    ClassConfig,
    RegressionConfig,
    SegmentationConfig,
    TileClassificationConfig,
)
from engine.learning.tasks.regression import Regression
from engine.learning.tasks.segmentation import Segmentation
from engine.learning.tasks.task import Colour, Task, TaskClass
from engine.learning.tasks.tile_classification import TileClassification

UNBURNED = TaskClass("unburned", "not burnt", 0, (204, 204, 204, 64))
BURNED = TaskClass("burned", "burnt", 1, (213, 94, 0, 255))
BURN_SCARS = Segmentation(name="burn_scars", classes=(UNBURNED, BURNED), band_name="burnt")
BURN_SEVERITY = Segmentation(
    name="burn_severity",
    classes=(
        UNBURNED,
        TaskClass("low", "low severity", 1, (240, 228, 66, 255)),
        TaskClass("moderate", "moderate severity", 2, (230, 159, 0, 255)),
        TaskClass("high", "high severity", 3, (160, 32, 0, 255)),
    ),
    band_name="severity",
    labels_name="severity",
)
# The bar shows what Key & Benson 2006 (FIREMON, RMRS-GTR-164-CD, table LA-2) call the range of dNBR.
DNBR = Regression(name="dnbr", quantity="dNBR", shown=(-0.5, 1.3), labels_name="dnbr")
TILE_BURNT = TileClassification("tile_burnt", (UNBURNED, BURNED), several=False, least_share=0.02)
PRESETS: Mapping[str, Task] = {task.name: task for task in (BURN_SCARS, BURN_SEVERITY, DNBR, TILE_BURNT)}
TITLES: Mapping[str, str] = {
    "burn_scars": "Burn scars",
    "burn_severity": "Severity",
    "dnbr": "dNBR",
    "tile_burnt": "Burnt tiles",
}
OwnTask = SegmentationConfig | TileClassificationConfig | RegressionConfig
# Okabe & Ito 2008, "Color universal design", but for black, which reads as a gap on a map.
_PALETTE = ("#009e73", "#d55e00", "#0072b2", "#f0e442", "#cc79a7", "#56b4e9", "#e69f00")
_GOLDEN_ANGLE = 0.381966  # of a turn: hues that follow one another lie far apart


def task_of(config: str | OwnTask) -> Task:
    """The task that a configuration names."""
    match config:
        case str():
            return PRESETS[config]
        case SegmentationConfig():
            return Segmentation("segmentation", _classes(config.classes), config.missing)
        case TileClassificationConfig():
            return TileClassification(
                config.name, _classes(config.classes), config.several, config.least_share, config.missing
            )
        case RegressionConfig():
            return Regression(config.name, config.quantity, config.unit, config.missing, config.shown)


def settled(config: str | OwnTask, task: Task) -> str | OwnTask:
    """The configuration of a task with what its training labels have decided: the ends of the colour bar."""
    if isinstance(config, RegressionConfig) and isinstance(task, Regression):
        return config.model_copy(update={"shown": task.shown})
    return config


def _classes(configured: tuple[ClassConfig, ...]) -> tuple[TaskClass, ...]:
    return tuple(
        TaskClass(one.key, one.name, one.value, _colour(one, index), one.weight)
        for index, one in enumerate(configured)
    )


def _colour(one: ClassConfig, index: int) -> Colour:
    """A class's colour as configured, or the next of a palette, then of the circle of hues."""
    if one.colour is None and index >= len(_PALETTE):
        red, green, blue = colorsys.hls_to_rgb(index * _GOLDEN_ANGLE % 1, 0.55, 0.6)
        return round(255 * red), round(255 * green), round(255 * blue), 255
    text = one.colour or _PALETTE[index]
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16), 255
