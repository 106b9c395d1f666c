"""What a decoder is taught, as the rest of the room sees it: labels, outputs, loss, metrics and maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from engine.jobs.configuration.config import LossConfig
from engine.labels.reading import LabelReading

if TYPE_CHECKING:  # pages read a task's classes and colours, and never load torch
    import torch

Link = Literal["logit", "log", "identity"]
"""How an expected label becomes an output: a logit of one class, log shares of several, the number itself."""
Colour = tuple[int, int, int, int]
"""Red, green, blue and opacity, 0 to 255."""


@dataclass(frozen=True)
class TaskClass:
    """One class of a task.

    Attributes:
        key: in the names of scores, such as `iou_burned`.
        title: in legends and tables.
        value: in label rasters and on maps.
        weight: in cross-entropy.
    """

    key: str
    title: str
    value: int
    colour: Colour
    weight: float = 1.0


@dataclass(frozen=True)
class Ramp:
    """The colour bar of a map of numbers.

    Attributes:
        low, high: ends of the bar; values beyond get its end colours.
        colours: evenly spaced from low to high, two or more.
        title: what the number is, with its unit.
    """

    low: float
    high: float
    colours: tuple[Colour, ...]
    title: str


@dataclass(frozen=True)
class MapStyle:
    """How a map is written: whole numbers with a colour table, or numbers with a colour bar.

    Attributes:
        band_name: description of its one band.
        nodata: value of pixels that have none; NaN with a ramp.
        colours: colour table by value; empty with a ramp.
        names: legend by value; empty with a ramp.
        ramp: None for whole numbers.
    """

    band_name: str
    nodata: float
    colours: Mapping[int, Colour]
    names: Mapping[int, str]
    ramp: Ramp | None = None


class Task(Protocol):
    """A task owns its classes or its unit, its labels, the size of a head, its loss, its metrics and its maps.

    Labels of a row (a patch, or a tile) are a row of an array: p * p values where each pixel has one, one value
    where the row has one. A decoder gives each row `outputs(patch_px)` numbers. Counts of outputs against labels
    add over batches and tiles, and scores are computed from their sum once.
    """

    @property
    def name(self) -> str:
        """As configurations call it."""

    @property
    def classes(self) -> tuple[TaskClass, ...]:
        """The classes in the order of their indexes; none where numbers are learned."""

    @property
    def unit(self) -> str:
        """Unit of the numbers that are learned; empty with classes."""

    @property
    def labels_name(self) -> str:
        """Which labels of the scenes it learns unless the configuration names others, such as mask."""

    @property
    def is_per_tile(self) -> bool:
        """Whether a tile has one label, and not each of its pixels."""

    @property
    def label_reading(self) -> LabelReading:
        """How the values of a label raster become labels, their numpy type, and which of them means missing."""

    @property
    def watch(self) -> str:
        """The metric whose largest value on the validation tiles selects the epoch that is kept."""

    @property
    def prediction_style(self) -> MapStyle:
        """How its map is written."""

    @property
    def sought(self) -> Mapping[int, str]:
        """Values and names of the classes that are looked for: all, but of two only the second."""

    @property
    def error_style(self) -> MapStyle:
        """How the map of its errors is written."""

    def require_rows(self, granularity: str) -> None:
        """Check that a store's rows (patches or tiles) can have its labels.

        Raises:
            StoreError: they cannot.
        """

    def require_labels(self, labels_of_splits: Mapping[str, np.ndarray]) -> None:
        """Check that each split has the labels that learning and scoring need.

        Raises:
            LabelError: naming what lacks in which split.
        """

    def fitted(self, labels: np.ndarray, loss: LossConfig) -> Task:
        """The same task with what it takes from the training labels: balanced weights, or the scale of numbers."""

    @property
    def label_scale(self) -> tuple[float, float] | None:
        """Mean and standard deviation of labels that are numbers, once fitted; None for classes."""

    @property
    def values(self) -> int:
        """Numbers that a head gives for one label."""

    @property
    def link(self) -> Link:
        """How a mean label becomes an output, for heads that average labels."""

    def outputs(self, patch_px: int) -> int:
        """Numbers that a head gives for one row."""

    def expected(self, labels: torch.Tensor) -> torch.Tensor:
        """Labels as what outputs are expected to be, (N, outputs) float32: shares of classes or numbers; NaN missing."""

    def is_known(self, labels: torch.Tensor) -> torch.Tensor:
        """Where labels are not missing, bool of the same shape."""

    def loss(self, outputs: torch.Tensor, labels: torch.Tensor, config: LossConfig) -> torch.Tensor:
        """The mean loss over known labels, a scalar."""

    def counts(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Additive counts of outputs against labels, on the outputs' device, (N,)."""

    def counts_of_pixels(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """The same counts of a map (as `predict` gives it) against its truth, (N,)."""

    def predict(self, outputs: torch.Tensor) -> torch.Tensor:
        """What the outputs say in the terms of labels (a class's index), in their shape."""

    def metrics(self, counts: np.ndarray) -> dict[str, float]:
        """What is told of each epoch, the watched metric among it; NaN where undefined."""

    def scores(self, counts: np.ndarray) -> dict[str, Any]:
        """All that is reported of a test, fit for JSON; what is undefined is None."""

    def map_values(self, predicted: np.ndarray) -> np.ndarray:
        """A map as it is written: values of `prediction_style`; missing ones become its nodata."""

    def errors(self, predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Where a map is right and wrong: values of `error_style`."""
