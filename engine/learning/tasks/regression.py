"""Regression: a number for every pixel of a patch; NaN where it is missing.

Scores come from sums of errors, so that they add over batches and tiles: the coefficient of determination is
1 - sum of squared errors / sum of squared deviations from the mean (R2, as scikit-learn's `r2_score` has it).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import LabelError, StoreError
from engine.jobs.configuration.config import LossConfig
from engine.labels.reading import NumberLabels
from engine.learning.metrics import json_numbers
from engine.learning.tasks.task import Colour, Link, MapStyle, Ramp, TaskClass

if TYPE_CHECKING:
    import torch

# Percentiles of the training labels between which the colour bar lies unless it is given.
_SHOWN = (2.0, 98.0)
# Viridis and a blue-white-red ramp at even steps (matplotlib's; Smith & van der Walt 2015; Moreland 2009).
_NUMBERS: tuple[Colour, ...] = (
    (68, 1, 84, 255), (59, 82, 139, 255), (33, 145, 140, 255), (94, 201, 98, 255), (253, 231, 37, 255),
)  # fmt: skip
_ERRORS: tuple[Colour, ...] = ((59, 76, 192, 255), (221, 221, 221, 255), (180, 4, 38, 255))
_KINDS = 6  # sums that scores are made of


@dataclass(frozen=True)
class Regression:
    """A quantity with a unit.

    Attributes:
        quantity: what it is, such as dNBR.
        missing_values: values of label rasters that mean missing, besides nodata and NaN.
        shown: ends of the colour bar; None until it is fitted.
        label_scale: mean and standard deviation of the training labels; None until it is fitted.
    """

    name: str
    quantity: str
    unit: str = ""
    missing_values: tuple[float, ...] = ()
    shown: tuple[float, float] | None = None
    label_scale: tuple[float, float] | None = None
    labels_name: str = "mask"

    classes: tuple[TaskClass, ...] = ()
    is_per_tile = False
    watch = "r2"
    values = 1
    link: Link = "identity"

    @property
    def title(self) -> str:
        """The quantity with its unit."""
        return f"{self.quantity} ({self.unit})" if self.unit else self.quantity

    @property
    def label_reading(self) -> NumberLabels:
        """Numbers as they stand in the raster."""
        return NumberLabels(self.missing_values)

    @property
    def prediction_style(self) -> MapStyle:
        """The numbers themselves, float32, with a colour bar; NaN is nothing."""
        low, high = self.shown or (0.0, 1.0)
        return MapStyle(self.quantity, math.nan, {}, {}, Ramp(low, high, _NUMBERS, self.title))

    @property
    def sought(self) -> Mapping[int, str]:
        """None: it has no classes."""
        return {}

    @property
    def error_style(self) -> MapStyle:
        """Predicted minus true, float32; blue is too low and red too high."""
        low, high = self.shown or (0.0, 1.0)
        reach = (high - low) / 2
        return MapStyle(
            "error", math.nan, {}, {}, Ramp(-reach, reach, _ERRORS, f"predicted minus true {self.title}")
        )

    def require_rows(self, granularity: str) -> None:
        """Check that rows are patches: a row of a tile has no pixels."""
        if granularity != "patch":
            raise StoreError(
                f"A store with one row a {granularity} has no pixels to give numbers to, as {self.name} does. "
                f"Choose a task of tiles, or extract with granularity: patch."
            )

    def require_labels(self, labels_of_splits: Mapping[str, np.ndarray]) -> None:
        """Check that each split has numbers, and that those of the training differ."""
        for split, labels in labels_of_splits.items():
            known = labels[~np.isnan(labels)]
            if not known.size:
                raise LabelError(
                    f"The {split} tiles have no labelled pixel, so nothing can be "
                    f"{'learned' if split == 'train' else 'scored'}. Label more ground, or choose another split.seed."
                )
            if split == "train" and known.min() == known.max():
                raise LabelError(
                    f"The train tiles have one number only, {known.min():g}, and there is nothing to learn. "
                    f"Check the label rasters."
                )

    def fitted(self, labels: np.ndarray, loss: LossConfig) -> Regression:
        """With the scale of the training labels, and a colour bar over them where none is given."""
        del loss
        known = labels[~np.isnan(labels)].astype(np.float64)
        low, high = np.percentile(known, _SHOWN)
        shown = self.shown or (
            (float(low), float(high)) if low < high else (float(known.min()), float(known.max()))
        )
        return replace(self, label_scale=(float(known.mean()), float(known.std())), shown=shown)

    def outputs(self, patch_px: int) -> int:
        """One number a pixel."""
        return patch_px * patch_px

    def expected(self, labels: torch.Tensor) -> torch.Tensor:
        """The labels themselves."""
        return labels.float()

    def is_known(self, labels: torch.Tensor) -> torch.Tensor:
        """Where labels are numbers."""
        return ~labels.isnan()

    def loss(self, outputs: torch.Tensor, labels: torch.Tensor, config: LossConfig) -> torch.Tensor:
        """The configured loss of errors in standard deviations of the training labels."""
        from engine.learning import losses

        scale = self.label_scale[1] if self.label_scale else 1.0
        return losses.weighted(config, lambda term: losses.loss_of_numbers(outputs, labels, term, scale))

    def predict(self, outputs: torch.Tensor) -> torch.Tensor:
        """The outputs themselves, float32."""
        return outputs.float()

    def counts(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Number, sum and squares of the truth, and squared, absolute and signed errors, (6,).

        The truth counts from the mean of the training labels, so that its squares do not cancel.
        """
        import torch

        kind = torch.float32 if outputs.device.type == "mps" else torch.float64
        known = ~labels.isnan()
        zero = torch.zeros((), dtype=kind, device=outputs.device)
        truth = torch.where(known, labels.to(kind) - self._centre, zero)
        error = torch.where(known, outputs.detach().to(kind) - self._centre - truth, zero)
        sums = (known.to(kind), truth, truth.square(), error.square(), error.abs(), error)
        return torch.stack([one.sum() for one in sums])

    def counts_of_pixels(self, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """The same sums of a map against its truth; pixels that the map lacks are left out."""
        known = ~np.isnan(truth) & ~np.isnan(predicted)
        centred = truth[known].astype(np.float64) - self._centre
        error = predicted[known].astype(np.float64) - self._centre - centred
        sums = (known, centred, centred**2, error**2, np.abs(error), error)
        return np.array([float(np.sum(one)) for one in sums])

    def metrics(self, counts: np.ndarray) -> dict[str, float]:
        """R2, RMSE and MAE."""
        number, total, squares, squared, absolute, _ = (float(value) for value in counts[:_KINDS])
        if not number:
            return {"r2": math.nan, "rmse": math.nan, "mae": math.nan}
        spread = squares - total**2 / number
        r2 = 1 - squared / spread if spread > 0 else math.nan
        return {"r2": r2, "rmse": math.sqrt(squared / number), "mae": absolute / number}

    def scores(self, counts: np.ndarray) -> dict[str, Any]:
        """R2, RMSE, MAE, the mean error (bias) and the number of pixels."""
        number = float(counts[0])
        bias = float(counts[5]) / number if number else math.nan
        return {**json_numbers({**self.metrics(counts), "bias": bias}), "pixels": int(number)}

    def map_values(self, predicted: np.ndarray) -> np.ndarray:
        """The numbers, float32; NaN where there is none."""
        return predicted.astype(np.float32)

    def errors(self, predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """Predicted minus true, float32; NaN where either is missing."""
        return (predicted - truth).astype(np.float32)

    @property
    def _centre(self) -> float:
        return self.label_scale[0] if self.label_scale else 0.0
