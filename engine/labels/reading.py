"""How the values of a label raster become labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.labels.patches import to_patches

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
    def missing(self) -> tuple[float, ...]:
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

    def rows_of(self, labels: np.ndarray, patch_px: int) -> np.ndarray:
        """Labels of a tile's pixels (h * p, w * p) as those of its rows, (rows, L)."""

    @property
    def granularity(self) -> str:
        """What a row of labels belongs to: "patch" or "tile"."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What else tells its labels from those of another reading with the same values; empty for classes of pixels."""


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
    granularity = "patch"
    identity: tuple[object, ...] = ()

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

    def rows_of(self, labels: np.ndarray, patch_px: int) -> np.ndarray:
        """The pixels of each patch."""
        return to_patches(labels, patch_px)


@dataclass(frozen=True)
class TileLabels:
    """One class a tile, or several, told by the share that each has of the tile's labelled pixels.

    Of one class: the second of two where its share is `least_share` or more, else the first; of more the commonest.
    Of several: for each class 1 where its share is `least_share` or more, else 0.
    """

    pixels: ClassLabels
    several: bool
    least_share: float

    dtype = "int8"
    missing_label = MISSING
    granularity = "tile"

    @property
    def values(self) -> tuple[int, ...]:
        """Raster values of the classes."""
        return self.pixels.values

    @property
    def titles(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.pixels.titles

    @property
    def missing(self) -> tuple[int, ...]:
        """Raster values that mean missing."""
        return self.pixels.missing

    @property
    def words(self) -> str:
        """The values with their meaning."""
        return self.pixels.words

    @property
    def identity(self) -> tuple[object, ...]:
        """How pixels become the tile's label."""
        return "tile", self.several, self.least_share

    def strange(self, values: np.ndarray, known: np.ndarray) -> float | None:
        """As of pixels."""
        return self.pixels.strange(values, known)

    def labels_of(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Classes of pixels, from which `rows_of` makes the tile's."""
        return self.pixels.labels_of(values, known)

    def is_known(self, labels: np.ndarray) -> np.ndarray:
        """Where labels are not missing."""
        return labels != MISSING

    def counts_of(self, labels: np.ndarray) -> dict[str, int]:
        """Tiles of each class."""
        if self.several:
            return {title: int((labels[:, k] == 1).sum()) for k, title in enumerate(self.titles)}
        return self.pixels.counts_of(labels)

    def rows_of(self, labels: np.ndarray, patch_px: int) -> np.ndarray:
        """The tile's own label, (1, 1), or one for each class, (1, K)."""
        del patch_px
        counts = np.bincount(labels[labels >= 0], minlength=len(self.values))
        columns = len(self.values) if self.several else 1
        if not counts.sum():
            return np.full((1, columns), MISSING, np.int8)
        share = counts / counts.sum()
        if self.several:
            return (share >= self.least_share).astype(np.int8)[None]
        found = int(share[1] >= self.least_share) if len(share) == 2 else int(counts.argmax())
        return np.array([[found]], np.int8)


@dataclass(frozen=True)
class NumberLabels:
    """Numbers as they stand in the raster; a label is the number, NaN where it is missing.

    Attributes:
        missing: values that mean missing, besides what the raster itself declares.
    """

    missing: tuple[float, ...] = ()

    dtype = "float32"
    missing_label = np.nan
    granularity = "patch"
    values: tuple[int, ...] = ()
    titles: tuple[str, ...] = ()
    identity: tuple[object, ...] = ("number",)

    @property
    def words(self) -> str:
        """What labels are."""
        return "finite numbers"

    def strange(self, values: np.ndarray, known: np.ndarray) -> float | None:
        """An infinite number; None: there is none."""
        found = values[known]
        endless = found[np.isinf(found)] if np.issubdtype(found.dtype, np.floating) else found[:0]
        return float(endless[0]) if endless.size else None

    def labels_of(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """The numbers, float32; NaN where they are not known or mean missing."""
        is_label = known & ~np.isin(values, self.missing)
        return np.where(is_label, values, np.nan).astype(np.float32)

    def is_known(self, labels: np.ndarray) -> np.ndarray:
        """Where labels are numbers."""
        return ~np.isnan(labels)

    def counts_of(self, labels: np.ndarray) -> dict[str, int]:
        """Labelled pixels."""
        return {"labelled": int(self.is_known(labels).sum())}

    def rows_of(self, labels: np.ndarray, patch_px: int) -> np.ndarray:
        """The pixels of each patch."""
        return to_patches(labels, patch_px)


BURNED_OR_NOT = ClassLabels((0, 1), ("not burnt", "burnt"))
