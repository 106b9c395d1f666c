"""What a decoder is taught: a preset by its name, or a segmentation with classes of one's own."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from engine.frozen import Frozen
from engine.nearest import nearest

PRESETS = ("burn_scars",)
# Tasks that the learning room has a protocol for and no code yet; they are refused by name.
_LATER_TASKS = ("regression", "tile_classification")


class ClassConfig(Frozen):
    """One class of a segmentation."""

    value: int = Field(ge=0, le=254, description="Value in label rasters and on maps.")
    name: str = Field(pattern=r"[A-Za-z0-9]", max_length=60, description="What scores and legends call it.")
    colour: str | None = Field(
        None,
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Colour on maps, such as #d55e00; null: from a palette.",
    )
    weight: float = Field(1.0, gt=0, description="Weight of the class in cross-entropy.")

    @property
    def key(self) -> str:
        """The name as it stands in the names of scores: iou_bare_soil."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_")


class SegmentationConfig(Frozen):
    """A class for every pixel."""

    name: Literal["segmentation"] = "segmentation"
    classes: tuple[ClassConfig, ...] = Field(
        min_length=2,
        max_length=127,
        description="Two or more classes; with two, the second one is looked for.",
    )
    missing: tuple[int, ...] = Field(
        (), description="Label values that mean missing, besides -1, nodata and masked pixels."
    )

    @field_validator("classes")
    @classmethod
    def _classes_differ(cls, classes: tuple[ClassConfig, ...]) -> tuple[ClassConfig, ...]:
        for what, found in (
            ("value", [str(one.value) for one in classes]),
            ("name", [one.key for one in classes]),
        ):
            twice = next((one for one in found if found.count(one) > 1), None)
            if twice is not None:
                raise ValueError(f"two classes have the {what} {twice}; give each one of its own")
        return classes


def check_task(task: object) -> object:
    """A task as given, or a ValueError in words where no such task can be trained."""
    name = task.get("name", "segmentation") if isinstance(task, dict) else task
    if name in _LATER_TASKS:
        raise ValueError(
            f"{name} cannot be trained yet; this version trains burn_scars and segmentation with classes of your own"
        )
    if isinstance(task, str) and task not in PRESETS:
        known = (*PRESETS, "segmentation")
        raise ValueError(
            "segmentation needs its classes; write task: {name: segmentation, classes: [...]}"
            if task == "segmentation"
            else f"no task has this name{nearest(task, known)}; there are {' and '.join(known)}"
        )
    if not isinstance(task, str | dict | SegmentationConfig):
        raise ValueError(  # noqa: TRY004 - pydantic takes ValueError for a complaint
            "a task is the name of a preset, or keys and values with the name segmentation"
        )
    return SegmentationConfig.model_validate(task) if isinstance(task, dict) else task
