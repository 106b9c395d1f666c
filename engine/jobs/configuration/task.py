"""What a decoder is taught: a preset by its name, or a segmentation, regression or tile classification of one's own."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from engine.frozen import Frozen
from engine.nearest import nearest

PresetName = Literal["burn_scars", "burn_severity", "dnbr", "tile_burnt"]
PRESETS: tuple[PresetName, ...] = ("burn_scars", "burn_severity", "dnbr", "tile_burnt")
# Presets that learn numbers, and those with one label a tile; engine/learning/tasks/table.py has the tasks.
_OF_NUMBERS, _OF_TILES = ("dnbr", "regression"), ("tile_burnt", "tile_classification")


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
        return _different(classes)


class TileClassificationConfig(Frozen):
    """A class for every tile, or several, from the share that each class has of its labelled pixels."""

    name: Literal["tile_classification"]
    classes: tuple[ClassConfig, ...] = Field(
        min_length=2, max_length=127, description="Two or more classes of pixels."
    )
    missing: tuple[int, ...] = Field(
        (), description="Label values that mean missing, besides -1, nodata and masked pixels."
    )
    several: bool = Field(
        False,
        description="A tile may have several classes (multi-label); false: one, of two the second where it is there.",
    )
    least_share: float = Field(
        0.02, gt=0, le=1, description="Share of a tile's labelled pixels from which a class is there."
    )

    @field_validator("classes")
    @classmethod
    def _classes_differ(cls, classes: tuple[ClassConfig, ...]) -> tuple[ClassConfig, ...]:
        return _different(classes)


class RegressionConfig(Frozen):
    """A number for every pixel."""

    name: Literal["regression"]
    quantity: str = Field(
        "value",
        pattern=r"[A-Za-z]",
        max_length=40,
        description="What the number is, such as dNBR or biomass.",
    )
    unit: str = Field("", max_length=20, description="Its unit, such as t/ha; empty: it has none.")
    shown: tuple[float, float] | None = Field(
        None, description="Ends of the colour bar; null: the 2nd and 98th percentile of the training labels."
    )
    missing: tuple[float, ...] = Field(
        (), description="Label values that mean missing, besides nodata, NaN and masked pixels."
    )

    @model_validator(mode="after")
    def _the_colour_bar_has_a_length(self) -> RegressionConfig:
        if self.shown is not None and not self.shown[0] < self.shown[1]:
            raise ValueError("shown is [lowest, highest], and the first must be smaller")
        return self


TaskConfig = Annotated[
    SegmentationConfig | TileClassificationConfig | RegressionConfig, Field(discriminator="name")
]
_MODELS: dict[str, type[SegmentationConfig] | type[TileClassificationConfig] | type[RegressionConfig]] = {
    "segmentation": SegmentationConfig,
    "tile_classification": TileClassificationConfig,
    "regression": RegressionConfig,
}


def configured_task(
    task: str | dict[str, object],
) -> str | SegmentationConfig | TileClassificationConfig | RegressionConfig:
    """A task as a card keeps it: a preset's name, or the mapping of one of one's own."""
    if isinstance(task, str):
        return task
    return _MODELS[str(task.get("name", "segmentation"))].model_validate(task)


def is_of_numbers(task: object) -> bool:
    """Whether a task, as configured or as its plain mapping, learns numbers."""
    return _name_of(task) in _OF_NUMBERS


def is_of_tiles(task: object) -> bool:
    """Whether a task, as configured or as its plain mapping, has one label a tile."""
    return _name_of(task) in _OF_TILES


def _name_of(task: object) -> object:
    if isinstance(task, dict):
        return task.get("name", "segmentation")
    return task if isinstance(task, str) else getattr(task, "name", None)


def _different(classes: tuple[ClassConfig, ...]) -> tuple[ClassConfig, ...]:
    """The classes, or a ValueError where two have one value or one name."""
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
    if isinstance(task, str) and task == "regression":
        return RegressionConfig(name="regression")
    if isinstance(task, str) and task not in PRESETS:
        known = (*PRESETS, *_MODELS)
        raise ValueError(
            f"{task} needs its classes; write task: {{name: {task}, classes: [...]}}"
            if task in _MODELS
            else f"no task has this name{nearest(task, known)}; there are {', '.join(known[:-1])} and {known[-1]}"
        )
    if isinstance(task, dict):
        name = task.get("name", "segmentation")
        if not isinstance(name, str) or name not in _MODELS:
            raise ValueError(
                f"a task of one's own has the name {', '.join(_MODELS)}, and this one {name!r}; a preset is written as task: NAME"
            )
        return _MODELS[name].model_validate(task)
    if not isinstance(task, str | SegmentationConfig | TileClassificationConfig | RegressionConfig):
        raise ValueError(  # noqa: TRY004 - pydantic takes ValueError for a complaint
            "a task is the name of a preset, or keys and values with the name segmentation, tile_classification or regression"
        )
    return task
