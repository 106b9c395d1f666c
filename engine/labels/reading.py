"""How the values of a label raster become labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

MISSING = -1


class LabelReading(Protocol):
    """What a task wants of label rasters: which values are labels, and what they become."""

    @property
    def dtype(self) -> str:
        """Numpy type of labels."""

    @property
    def missing_label(self) -> float:
        """The label of what is not known."""

    @property
    def values(self) -> tuple[int, ...]:
        """Raster values of the classes, in the order of their indexes; none where numbers are labels."""

    @property
    def titles(self) -> tuple[str, ...]:
        """Names of the classes."""

    @property
    def missing(self) -> tuple[int, ...]:
        """Raster values that mean missing, besides what the raster itself declares."""

    @property
    def words(self) -> str:
        """What labels are, for messages."""

    def strange(self, values: np.ndarray, known: np.ndarray) -> float | None:
        """A known raster value that is no label and not missing; None: there is none."""

    def labels_of(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Labels of raster values, in their shape; what is not known is missing."""

    def is_known(self, labels: np.ndarray) -> np.ndarray:
        """Where labels are not missing, bool of the same shape."""

    def counts_of(self, labels: np.ndarray) -> dict[str, int]:
        """Numbers of labels that are reported, by name."""


@dataclass(frozen=True)
class ClassLabels:
    """Classes by their value in rasters; a label is the index of a class, -1 where it is missing.

    Attributes:
        values: of the classes, in the order of their indexes.
        titles: of the classes, for messages.
        missing: values that mean missing, besides what the raster itself declares.
    """

    values: tuple[int, ...]
    titles: tuple[str, ...]
    missing: tuple[int, ...] = (MISSING,)

    dtype = "int8"
    missing_label = MISSING

    @property
    def words(self) -> str:
        """The values with their meaning."""
        classes = [f"{value} ({title})" for value, title in zip(self.values, self.titles, strict=True)]
        return f"{', '.join(classes)} and {', '.join(map(str, self.missing))} (missing)"

    def strange(self, values: np.ndarray, known: np.ndarray) -> float | None:
        """The smallest known value that is neither a class nor missing; None: there is none."""
        found = np.setdiff1d(np.unique(values[known]), (*self.values, *self.missing))
        return float(found[0]) if found.size else None

    def labels_of(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Labels of raster values, int8 in their shape; what is not known is missing."""
        labels = np.full(values.shape, MISSING, np.int8)
        for index, value in enumerate(self.values):
            labels[known & (values == value)] = index
        return labels

    def is_known(self, labels: np.ndarray) -> np.ndarray:
        """Where labels are the index of a class."""
        return labels != MISSING

    def counts_of(self, labels: np.ndarray) -> dict[str, int]:
        """Labels of each class, by title."""
        return {title: int((labels == index).sum()) for index, title in enumerate(self.titles)}


BURNED_OR_NOT = ClassLabels((0, 1), ("not burnt", "burnt"))
