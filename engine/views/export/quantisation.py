"""Embeddings in 8 or 16 bits: how they are made smaller, and what that costs.

Two ways to 8 bits. By row: each embedding has a scale of its own, its largest number over 127 (TESSERA's way, "per_pixel_scale"
of the geoemb convention); nothing is clipped, whatever the range. By dimension: each dimension has one scale for the whole
store, for forms that hold one scale a band, such as GeoTIFF.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from engine.errors import StoreError

GAP = -128  # the steps are -127 to 127, so that this one is free
_STEPS = 127
_FLOAT16_LARGEST = 65_504.0
RoundTrip = Callable[[np.ndarray], np.ndarray]
"""(n, D) embeddings to (n, D) float32 as a reader gets them back."""
Quantise = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(..., D) embeddings to (..., D) int8, and (...) float32 scales."""
# Whole numbers times a scale, rounded to 16-bit floats, are off by this share of themselves at most, or by half of the smallest step.
_OF_16_BITS, _SMALLEST = 2.0**-11 * (1 + 1e-3), 2.0**-25
# Rows of a block that tell whether any of it is such numbers: to try all of those that are not would take minutes.
_LOOKED_ROWS = 32


@dataclass(frozen=True)
class Loss:
    """What is lost, measured on every embedding.

    Attributes:
        rows: embeddings that were measured: finite, and not all zero.
        cosine_mean, cosine_worst: 1 minus the cosine between an embedding and what is read back; mean and largest.
        relative_mean: length of the difference over the length of the embedding, mean.
        probe: mean IoU of a linear probe on labels before and after, or why it was not measured.
    """

    dtype: str
    method: str
    rows: int
    cosine_mean: float
    cosine_worst: float
    relative_mean: float
    probe: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """The same in words."""
        said = (
            f"{self.dtype} ({self.method}): the cosine to the embedding itself falls by {self.cosine_mean:.2g} on average and "
            f"{self.cosine_worst:.2g} at most, over {self.rows:,} embeddings."
        )
        if "mean_iou" in self.probe:
            said += f" Mean IoU of a linear probe: {self.probe['mean_iou']:.4f} before, {self.probe['mean_iou_after']:.4f} after."
        elif self.probe:
            said += f" {self.probe['not_measured']}"
        return said


def by_row(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """8 bits with a scale a row.

    Args:
        values: (..., D); rows with a number that is not finite are gaps.

    Returns:
        (..., D) int8, and (...) float32 scales, NaN for gaps: value = number * scale.
    """
    exact = values.astype(np.float32)
    is_gap = np.asarray(~np.isfinite(exact).all(axis=-1))
    largest = np.abs(np.where(is_gap[..., None], 0, exact)).max(axis=-1)
    scales = (np.maximum(largest, np.finfo(np.float32).tiny * _STEPS) / _STEPS).astype(np.float32)
    numbers = np.rint(np.where(is_gap[..., None], 0, exact) / scales[..., None])
    numbers = np.clip(numbers, -_STEPS, _STEPS).astype(np.int8)
    return numbers, np.where(is_gap, np.float32("nan"), scales)


def published_by_row(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 8-bit numbers and scales that embeddings were published in, where rows are a scale times whole numbers; else `by_row`.

    Stores hold such embeddings as 16-bit floats.
    """
    numbers, scales = (part.copy() for part in by_row(values))
    exact, found = (one.reshape(-1, values.shape[-1]) for one in (values.astype(np.float32), numbers))
    steps = scales.reshape(-1)
    usable = np.flatnonzero(np.isfinite(steps) & (exact != 0).any(axis=1))
    looked = usable[:: max(1, len(usable) // _LOOKED_ROWS)]
    if len(looked) and _whole_rows(exact[looked])[2].any():
        whole, own_steps, fits = _whole_rows(exact[usable])
        found[usable[fits]], steps[usable[fits]] = whole[fits], own_steps[fits]
    return found.reshape(numbers.shape), steps.reshape(scales.shape)


def _whole_rows(exact: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, D) int8 and (n,) scales of rows that are a scale times whole numbers, and (n,) bool: which are.

    The largest number of a row need not be 127, so that each is tried.

    Args:
        exact: (n, D) finite; no row is all zero.
    """
    numbers, steps, fits = (
        np.zeros(exact.shape, np.int8),
        np.zeros(len(exact), np.float32),
        np.zeros(len(exact), bool),
    )
    largest, rest = np.abs(exact).max(axis=1), np.arange(len(exact))
    for most in range(_STEPS, 0, -1):
        rows = exact[rest]
        whole = np.rint(rows * (most / largest[rest, None]))
        scale = (rows * whole).sum(axis=1) / (whole**2).sum(
            axis=1
        )  # least squares, over the rounding of each number
        good = _has_one_scale(np.abs(rows), np.abs(whole))
        numbers[rest[good]], steps[rest[good]], fits[rest[good]] = (
            whole[good].astype(np.int8),
            scale[good],
            True,
        )
        rest = rest[~good]
    return numbers, steps, fits


def _has_one_scale(rows: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(n,) bool: whether one scale makes (n, D) numbers of whole ones, within the rounding to 16 bits; neither is negative."""
    off = rows * _OF_16_BITS + _SMALLEST
    is_none = whole == 0
    steps = np.where(is_none, 1, whole)
    least = np.where(is_none, 0, (rows - off) / steps).max(axis=1)
    most = np.where(is_none, np.inf, (rows + off) / steps).min(axis=1)
    return np.asarray((least <= most) & (~is_none | (rows <= _SMALLEST)).all(axis=1))


def and_back(quantise: Quantise) -> RoundTrip:
    """What a reader gets back of 8 bits with a scale a row."""

    def back(values: np.ndarray) -> np.ndarray:
        numbers, scales = quantise(values)
        return np.asarray(numbers.astype(np.float32) * scales[..., None])

    return back


def scales_by_dimension(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """(D,) float64 scales that hold every finite number of (n, D) blocks in 8 bits."""
    largest: np.ndarray | None = None
    for block in blocks:
        exact = block[np.isfinite(block).all(axis=-1)].astype(np.float64)
        here = np.abs(exact).max(axis=0, initial=0)
        largest = here if largest is None else np.maximum(largest, here)
    if largest is None:
        raise StoreError("The store has no rows. Export one that has some.")
    return np.where(largest > 0, largest, 1.0) / _STEPS


def by_dimension(values: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """(..., D) int8 with a scale a dimension; rows with a number that is not finite are GAP in every dimension."""
    is_gap = ~np.isfinite(values).all(axis=-1)
    numbers = np.rint(np.where(is_gap[..., None], 0, values) / scales)
    numbers = np.clip(numbers, -_STEPS, _STEPS)
    return np.where(is_gap[..., None], GAP, numbers).astype(np.int8)


def to_float16(values: np.ndarray) -> np.ndarray:
    """The same in 16 bits.

    Raises:
        StoreError: a finite number is beyond what 16 bits hold.
    """
    largest = float(np.abs(np.where(np.isfinite(values), values, 0)).max(initial=0))
    if largest > _FLOAT16_LARGEST:
        raise StoreError(
            f"The embeddings reach {largest:.4g}, and float16 holds no more than {_FLOAT16_LARGEST:,.0f}. Choose --dtype float32 "
            f"or int8."
        )
    return values.astype(np.float16)


class LossMeter:
    """Adds up what is lost, block by block."""

    def __init__(self, dtype: str, method: str) -> None:
        self._said = dtype, method
        self._rows, self._cosine, self._worst, self._relative = 0, 0.0, 0.0, 0.0

    def add(self, values: np.ndarray, back: np.ndarray) -> None:
        """Compare (..., D) embeddings with what is read back."""
        dim = values.shape[-1]
        first, second = (one.reshape(-1, dim).astype(np.float64) for one in (values, back))
        size = np.abs(first).max(axis=1, initial=0)
        usable = np.isfinite(size) & (size > 0) & np.isfinite(second).all(axis=1)
        # divided by their largest number first, so that squares of very large and very small numbers stay in range
        first, second = (one[usable] / size[usable, None] for one in (first, second))
        lengths = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
        cosine = (first * second).sum(axis=1) / np.maximum(lengths[0] * lengths[1], 1e-300)
        lost = np.maximum(1 - cosine, 0)
        self._rows += len(first)
        self._cosine += float(lost.sum())
        self._worst = max(self._worst, float(lost.max(initial=0)))
        self._relative += float((np.linalg.norm(first - second, axis=1) / lengths[0]).sum())

    def loss(self) -> Loss:
        """What was measured so far."""
        count = max(self._rows, 1)
        return Loss(*self._said, self._rows, self._cosine / count, self._worst, self._relative / count)
