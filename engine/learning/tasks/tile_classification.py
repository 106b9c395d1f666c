"""Tile classification: one class for a tile, or several (multi-label).

With one class a tile is a segmentation of a single pixel. With several each class is asked on its own: is it there?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import LabelError, StoreError
from engine.jobs.configuration.config import LossConfig
from engine.labels.reading import MISSING, TileLabels
from engine.learning.metrics import Confusion, json_numbers
from engine.learning.tasks.segmentation import NODATA, Segmentation
from engine.learning.tasks.task import Link, MapStyle, TaskClass

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TileClassification:
    """Classes of tiles; a label is a class's index, or for several classes 0 or 1 each; -1 is missing.

    Attributes:
        several: whether a tile may have several classes.
        least_share: of a tile's labelled pixels from which a class is there.
    """

    name: str
    classes: tuple[TaskClass, ...]
    several: bool
    least_share: float
    missing_values: tuple[int, ...] = ()
    labels_name: str = "mask"

    unit = ""
    is_per_tile = True
    label_scale: tuple[float, float] | None = None  # classes have none

    @property
    def one_class(self) -> Segmentation:
        """The same classes as of a single pixel."""
        return Segmentation(self.name, self.classes, self.missing_values)

    @property
    def label_reading(self) -> TileLabels:
        """Classes of pixels, brought together for each tile."""
        return TileLabels(self.one_class.label_reading, self.several, self.least_share)

    @property
    def watch(self) -> str:
        """F1 of the class that is looked for; with more classes the mean F1 of all."""
        return f"f1_{self.classes[1].key}" if self.one_class.is_binary and not self.several else "mean_f1"

    @property
    def prediction_style(self) -> MapStyle:
        """The class of each tile in its colour; of several the last one in the order of the classes."""
        return self.one_class.prediction_style

    @property
    def sought(self) -> Mapping[int, str]:
        """As of a segmentation."""
        return self.one_class.sought

    @property
    def error_style(self) -> MapStyle:
        """As of a segmentation; of several classes a tile is right where all are."""
        return self.one_class.error_style

    def require_rows(self, granularity: str) -> None:
        """Check that rows are tiles."""
        if granularity != "tile":
            raise StoreError(
                f"A store with one row a {granularity} has no row for a whole tile, as {self.name} needs. "
                f"Extract with granularity: tile and pooling: mean."
            )

    def require_labels(self, labels_of_splits: Mapping[str, np.ndarray]) -> None:
        """Check that every class can be learned, and that the other splits have labels."""
        if not self.several:
            self._require_one_class(labels_of_splits)
            return
        for split, labels in labels_of_splits.items():
            known = labels[(labels != MISSING).all(axis=1)]
            if not len(known):
                raise LabelError(
                    f"The {split} tiles have no labels. Label more ground, or choose another split.seed."
                )
            same = [
                one.title for one, column in zip(self.classes, known.T, strict=True) if len(set(column)) < 2
            ]
            if split == "train" and len(same) == len(self.classes):
                raise LabelError(
                    f"Every class is on all train tiles or on none ({', '.join(same)}), so there is nothing to learn. "
                    f"Change task.least_share, or label more ground."
                )

    def fitted(self, labels: np.ndarray, loss: LossConfig) -> TileClassification:
        """With balanced weights where they are asked for."""
        if self.several or loss.weights == "given":
            return self
        return replace(self, classes=self.one_class.fitted(labels, loss).classes)

    @property
    def values(self) -> int:
        """One logit for one of two classes, else one a class."""
        return len(self.classes) if self.several else self.one_class.values

    @property
    def link(self) -> Link:
        """Each class on its own, or shares of all."""
        return "logit" if self.several else self.one_class.link

    def outputs(self, patch_px: int) -> int:
        """Those of the tile's single label, whatever its size."""
        del patch_px
        return self.values

    def expected(self, labels: torch.Tensor) -> torch.Tensor:
        """0 or 1 for each class; NaN where missing."""
        if not self.several:
            return self.one_class.expected(labels)
        found = labels.float()
        found[labels == MISSING] = float("nan")
        return found

    def is_known(self, labels: torch.Tensor) -> torch.Tensor:
        """Where labels are not missing."""
        return labels != MISSING

    def loss(self, outputs: torch.Tensor, labels: torch.Tensor, config: LossConfig) -> torch.Tensor:
        """The configured loss; of several classes the weighted mean over them."""
        from engine.learning import losses

        if not self.several:
            return self.one_class.loss(outputs, labels, config)
        weights = [one.weight for one in self.classes]
        each = [
            weight * losses.of_two_classes(config, outputs[..., k], labels[..., k])
            for k, weight in enumerate(weights)
        ]
        return sum(each[1:], each[0]) / sum(weights)

    def predict(self, outputs: torch.Tensor) -> torch.Tensor:
        """The class's index, or 0 or 1 for each class; int8."""
        import torch

        return (outputs > 0).to(torch.int8) if self.several else self.one_class.predict(outputs)

    def counts(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Tiles by true and predicted class, (K * K,); of several classes four numbers each, (K * 4,)."""
        import torch

        if not self.several:
            return self.one_class.counts(outputs, labels)
        kinds = torch.arange(len(self.classes), device=labels.device) * 4
        pairs = kinds + labels.long() * 2 + self.predict(outputs.detach())
        return torch.bincount(pairs[labels != MISSING], minlength=4 * len(self.classes))

    def counts_of_pixels(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """The same of labels against predictions."""
        if not self.several:
            return self.one_class.counts_of_pixels(truth, predicted)
        pairs = zip(
            truth.reshape(-1, len(self.classes)).T, predicted.reshape(-1, len(self.classes)).T, strict=True
        )
        return np.concatenate([Confusion.of(*pair).counts.reshape(-1) for pair in pairs])

    def metrics(self, counts: np.ndarray) -> dict[str, float]:
        """F1 of each class and their mean; with one class a tile the accuracy too."""
        each = {
            f"f1_{one.key}": value
            for one, value in zip(self.classes, self._of_classes(counts, "f1"), strict=True)
        }
        known = [value for value in each.values() if not np.isnan(value)]
        mean = {"mean_f1": float(np.mean(known)) if known else float("nan")}
        if self.several:
            return {**mean, **each}
        accuracy = {"accuracy": self._confusions(counts)[0].accuracy()}
        if self.one_class.is_binary:
            return {self.watch: each[self.watch], **accuracy}
        return {**mean, **accuracy, **each}

    def scores(self, counts: np.ndarray) -> dict[str, Any]:
        """F1, precision and recall of each class, their mean F1, and the counts themselves."""
        ratios = dict(self.metrics(counts))
        for name in ("f1", "precision", "recall", "iou"):
            values = self._of_classes(counts, name)
            ratios |= {f"{name}_{one.key}": value for one, value in zip(self.classes, values, strict=True)}
        confusions = self._confusions(counts)
        found = {**json_numbers(ratios), "labelled_tiles": confusions[0].pixels}
        if self.several:
            by_class = {one.key: c.counts.tolist() for one, c in zip(self.classes, confusions, strict=True)}
            return {**found, "confusion_of_classes": by_class}
        return {**found, "confusion": confusions[0].counts.tolist()}

    def map_values(self, predicted: np.ndarray) -> np.ndarray:
        """The value of each tile's class; of several classes that of the last one that is there; 255 for none."""
        if not self.several:
            return self.one_class.map_values(predicted)
        values = np.array([one.value for one in self.classes])
        order = np.where(predicted == 1, np.arange(1, len(values) + 1), 0).max(axis=-1)
        return np.concatenate([[NODATA], values]).astype(np.uint8)[order]

    def errors(self, predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Where a tile's class, or all of its classes, are right."""
        if not self.several:
            return self.one_class.errors(predicted, truth)
        wrong = (predicted != truth).any(axis=-1)
        unknown = (truth == MISSING).any(axis=-1) | (predicted == MISSING).any(axis=-1)
        return np.where(unknown, NODATA, np.where(wrong, 3, 0)).astype(np.uint8)

    def _require_one_class(self, labels_of_splits: Mapping[str, np.ndarray]) -> None:
        try:
            self.one_class.require_labels(labels_of_splits)
        except LabelError as err:
            raise LabelError(f"{str(err).replace(' pixel', ' tile')} Or change task.least_share.") from err

    def _confusions(self, counts: np.ndarray) -> list[Confusion]:
        number = len(self.classes)
        if self.several:
            return [Confusion(one.reshape(2, 2)) for one in counts.reshape(number, 4)]
        return [Confusion(counts.reshape(number, number))]

    def _of_classes(self, counts: np.ndarray, measure: str) -> list[float]:
        confusions = self._confusions(counts)
        if self.several:
            return [getattr(confusion, measure)() for confusion in confusions]
        return [getattr(confusions[0], measure)(index) for index in range(len(self.classes))]
