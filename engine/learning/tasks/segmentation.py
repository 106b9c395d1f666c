"""Segmentation: one of two or more classes for every pixel of a patch.

Two classes need one output a pixel, the logit of the second: only the difference of two logits would count.
More classes have one logit each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import LabelError, StoreError
from engine.jobs.configuration.config import LossConfig
from engine.labels.reading import MISSING, ClassLabels
from engine.learning.metrics import Confusion, json_numbers
from engine.learning.tasks.task import Colour, Link, MapStyle, TaskClass

if TYPE_CHECKING:
    import torch

NODATA = 255
RIGHT, HIT, FALSE_ALARM, MISS = 0, 1, 2, 3
_CLEAR: Colour = (0, 0, 0, 0)
# Told apart with any colour vision (Okabe & Ito 2008, "Color universal design"), and none of them the green of plants.
_ERROR_COLOURS: Mapping[int, Colour] = {
    RIGHT: (204, 204, 204, 64), HIT: (213, 94, 0, 255), FALSE_ALARM: (240, 228, 66, 255),
    MISS: (0, 114, 178, 255), NODATA: _CLEAR,
}  # fmt: skip


@dataclass(frozen=True)
class Segmentation:
    """Classes of pixels; a label is a class's index, -1 where it is missing.

    Attributes:
        classes: two or more; of two the second is the one that is looked for.
        missing_values: values of label rasters that mean missing, besides -1 and nodata.
        band_name: what maps call their band.
    """

    name: str
    classes: tuple[TaskClass, ...]
    missing_values: tuple[int, ...] = ()
    band_name: str = "class"
    labels_name: str = "mask"

    unit = ""
    is_per_tile = False
    label_scale: tuple[float, float] | None = None  # classes have none

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes, of which the second is looked for."""
        return len(self.classes) == 2

    @property
    def label_reading(self) -> ClassLabels:
        """Classes by their values; -1 is missing."""
        values, titles = zip(*((one.value, one.title) for one in self.classes), strict=True)
        return ClassLabels(values, titles, (MISSING, *self.missing_values))

    @property
    def watch(self) -> str:
        """IoU of the class that is looked for; with more than two classes the mean of all."""
        return f"iou_{self.classes[1].key}" if self.is_binary else "miou"

    @property
    def prediction_style(self) -> MapStyle:
        """The classes' values and colours; 255 is nothing."""
        return MapStyle(
            self.band_name, NODATA,
            {**{one.value: one.colour for one in self.classes}, NODATA: _CLEAR},
            {one.value: one.title for one in self.classes},
        )  # fmt: skip

    @property
    def sought(self) -> Mapping[int, str]:
        """Values and names of the classes that are looked for: all, but of two only the second."""
        wanted = self.classes[1:] if self.is_binary else self.classes
        return {one.value: one.title for one in wanted}

    @property
    def error_style(self) -> MapStyle:
        """0 right (of two classes: rightly not), 1 hit, 2 false alarm, 3 miss (of more: wrong); 255 unknown."""
        sought = self.classes[1].title
        names = {RIGHT: f"rightly {self.classes[0].title}", HIT: f"hit: {sought}, and called so",
                 FALSE_ALARM: f"false alarm: called {sought}", MISS: f"miss: {sought}, and not called so"}  # fmt: skip
        if not self.is_binary:
            names = {RIGHT: "right", MISS: "wrong"}
        colours = {value: _ERROR_COLOURS[value] for value in (*names, NODATA)}
        return MapStyle("error", NODATA, colours, names)

    def require_rows(self, granularity: str) -> None:
        """Check that rows are patches: a row of a tile has no pixels."""
        if granularity != "patch":
            raise StoreError(
                f"A store with one row a {granularity} has no pixels to give classes to, as {self.name} does. "
                f"Choose a task of tiles, such as tile_burnt, or extract with granularity: patch."
            )

    def require_labels(self, labels_of_splits: Mapping[str, np.ndarray]) -> None:
        """Check that every class can be learned, and that of two classes both can be judged in every split."""
        for split, labels in labels_of_splits.items():
            found = set(np.unique(labels).tolist()) - {MISSING}
            wanted = range(len(self.classes)) if self.is_binary or split == "train" else ()
            absent = [self.classes[index].title for index in wanted if index not in found]
            if absent or not found:
                raise LabelError(
                    f"The {split} tiles have no {_absent(absent)}, so nothing can be "
                    f"{'scored' if split != 'train' else 'learned of it' if len(absent) == 1 else 'learned of them'}. "
                    f"Label more ground, choose another split.seed, or split by files."
                )

    def fitted(self, labels: np.ndarray, loss: LossConfig) -> Segmentation:
        """With weights that make all classes count alike, where they are asked for; else the same."""
        if loss.weights == "given":
            return self
        counts = np.bincount(labels[labels >= 0].reshape(-1), minlength=len(self.classes))
        weights = counts.sum() / (len(counts) * np.maximum(counts, 1))
        classes = (
            replace(one, weight=float(weight)) for one, weight in zip(self.classes, weights, strict=True)
        )
        return replace(self, classes=tuple(classes))

    @property
    def values(self) -> int:
        """One logit a pixel for two classes, one a class for more."""
        return 1 if self.is_binary else len(self.classes)

    @property
    def link(self) -> Link:
        """Logits of the second of two classes; log shares of more."""
        return "logit" if self.is_binary else "log"

    def outputs(self, patch_px: int) -> int:
        """One logit a pixel for two classes, one a pixel and class for more."""
        return patch_px * patch_px * self.values

    def expected(self, labels: torch.Tensor) -> torch.Tensor:
        """The share of the second class, or of each, at each pixel: 0 or 1; NaN where missing."""
        wanted = [1] if self.is_binary else range(len(self.classes))
        kinds = labels.new_tensor(list(wanted))
        found = (labels[..., None] == kinds).float()  # (N, L, K)
        found[labels == MISSING] = float("nan")
        return found.flatten(-2)

    def is_known(self, labels: torch.Tensor) -> torch.Tensor:
        """Where labels are not missing."""
        return labels != MISSING

    def loss(self, outputs: torch.Tensor, labels: torch.Tensor, config: LossConfig) -> torch.Tensor:
        """The configured loss.

        Args:
            outputs: (..., p * p) for two classes, (..., p * p * K) for more.
            labels: (..., p * p) class indexes; one or more must be known.
        """
        from engine.learning import losses

        weights = [one.weight for one in self.classes]
        if self.is_binary:
            weight = config.burned_weight * weights[1] / weights[0]
            return losses.of_two_classes(config, outputs, labels, weight)
        by_class = self._by_class(outputs)
        return losses.weighted(config, lambda term: losses.loss_of_classes(by_class, labels, term, weights))

    def predict(self, outputs: torch.Tensor) -> torch.Tensor:
        """(..., p * p) class indexes, int8."""
        import torch

        if self.is_binary:
            return (outputs > 0).to(torch.int8)
        return self._by_class(outputs).argmax(dim=-1).to(torch.int8)

    def counts(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Pixels by true and predicted class, (K * K,) row-major."""
        import torch

        if self.is_binary:
            return _counts_of_two(outputs.detach(), labels)
        number = len(self.classes)
        pairs = labels.to(torch.int16) * number + self.predict(outputs.detach())
        # missing labels fall into the first `number` bins, which are cut off
        return torch.bincount(pairs.flatten() + number, minlength=number * (number + 1))[number:]

    def counts_of_pixels(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Pixels by true and predicted class, (K * K,) row-major; missing truth is left out."""
        return Confusion.of(truth, predicted, len(self.classes)).counts.reshape(-1)

    def metrics(self, counts: np.ndarray) -> dict[str, float]:
        """IoU and F1 of the class that is looked for; with more classes the mean IoU, accuracy and each IoU."""
        confusion = self._confusion(counts)
        if self.is_binary:
            key = self.classes[1].key
            return {f"iou_{key}": confusion.iou(), f"f1_{key}": confusion.f1()}
        each = {f"iou_{one.key}": confusion.iou(index) for index, one in enumerate(self.classes)}
        return {"miou": confusion.mean_iou(), "accuracy": confusion.accuracy(), **each}

    def scores(self, counts: np.ndarray) -> dict[str, Any]:
        """IoU, F1, precision and recall of each class, the mean IoU, the accuracy, and the counts themselves."""
        confusion = self._confusion(counts)
        ratios = {"miou": confusion.mean_iou(), "accuracy": confusion.accuracy()}
        for index, one in enumerate(self.classes):
            for name in ("iou", "f1", "precision", "recall"):
                ratios[f"{name}_{one.key}"] = getattr(confusion, name)(index)
        pixels = {f"pixels_{one.key}": int(confusion.counts[i].sum()) for i, one in enumerate(self.classes)}
        return {
            **json_numbers(ratios),
            "pixels": confusion.pixels,
            **pixels,
            "confusion": confusion.counts.tolist(),
        }

    def map_values(self, predicted: np.ndarray) -> np.ndarray:
        """Values of classes, uint8; 255 where there is none."""
        values = np.array([*(one.value for one in self.classes), NODATA], np.uint8)
        return values[predicted]  # -1 is the last

    def errors(self, predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Where a map is right and wrong, uint8 as `error_style` says; 255 where truth or map has no class."""
        kinds = np.where(predicted == truth, RIGHT, MISS)
        if self.is_binary:
            kinds = np.where(predicted == 1, np.where(truth == 1, HIT, FALSE_ALARM), kinds)
        return np.where((predicted >= 0) & (truth >= 0), kinds, NODATA).astype(np.uint8)

    def _by_class(self, outputs: torch.Tensor) -> torch.Tensor:
        return outputs.unflatten(-1, (-1, len(self.classes)))  # (..., p * p, K)

    def _confusion(self, counts: np.ndarray) -> Confusion:
        return Confusion(counts.reshape(len(self.classes), len(self.classes)))


def _counts_of_two(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Pixels of two classes by truth and prediction, (4,): a fourth of the time that bincount takes on a CPU."""
    import torch

    called = torch.gt(outputs, 0, out=torch.empty_like(outputs, dtype=torch.int8))
    sought, known = labels.clamp(0, 1), labels.clamp(-1, 0) + 1
    # A sum of 32 bits takes half of the time of torch's usual 64, and no batch has so many pixels.
    pixels = (called & sought, called & known, sought, known)
    hits, called_known, positives, every = torch.stack([one.sum(dtype=torch.int32) for one in pixels]).long()
    misses, false_alarms = positives - hits, called_known - hits
    return torch.stack([every - positives - false_alarms, false_alarms, misses, hits])


def _absent(titles: list[str]) -> str:
    """What has no pixel, in words: titles may begin with "not"."""
    return " and no ".join(f"pixel of the class {one}" for one in titles) or "labelled pixel"
