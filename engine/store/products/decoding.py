"""How stored numbers become embeddings, and which of the ways agrees with the numbers themselves.

Readers of AlphaEarth disagree: some decode linearly, and the embeddings are then of length 2.5 instead of 1. Length tells
which way is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import StoreError

# The divisor of Google's Satellite Embedding V1: x = sign(v) (v / 127.5)^2 (its Earth Engine catalogue page).
_DIVISOR = 127.5
# Quantised to 8 bits, the lengths of AlphaEarth's embeddings leave 1 by less than a hundredth.
_UNIT = 0.02
_MOSTLY, _UNIT_OF_MOST = 0.9, 0.05


@dataclass(frozen=True)
class Decoding:
    """One way to decode.

    Attributes:
        words: the formula, as a person reads it.
        decode: (..., D) stored numbers to (..., D) float32.
        correction: what is said where this way was not the file's own; empty where it was.
    """

    words: str
    decode: Callable[[np.ndarray], np.ndarray]
    correction: str = ""


def _power(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.int8:  # 256 numbers, looked up: ten times faster than computed one by one
        return np.take(_POWERS, values.view(np.uint8))
    return _computed_power(values)


def _computed_power(values: np.ndarray) -> np.ndarray:
    scaled = values.astype(np.float32) / np.float32(_DIVISOR)
    return np.sign(scaled) * scaled**2


# Of the 8-bit numbers in the order of their bytes: 0 to 127, then -128 to -1.
_POWERS = _computed_power(np.arange(256, dtype=np.uint8).view(np.int8))


def _squared(values: np.ndarray) -> np.ndarray:
    plain = values.astype(np.float32)
    return np.sign(plain) * plain**2


AS_STORED = Decoding("as stored", lambda values: values.astype(np.float32))
POWER = Decoding("x = sign(v) (v / 127.5)^2", _power)
_LINEAR = Decoding(
    "x = v / 127", lambda values: values.astype(np.float32) / np.float32(127.0),
    "The 8-bit numbers give length 1 when they are decoded linearly, not by AlphaEarth's squares: another program wrote them "
    "anew, and they are decoded linearly.",
)  # fmt: skip
_UNDONE = Decoding(
    "x = sign(v) v^2", _squared,
    "The numbers were decoded linearly by another program: their length is not 1. They are corrected to sign(v) v^2, whose "
    "length is 1.",
)  # fmt: skip
_POWER_OF_FLOATS = Decoding(
    POWER.words, _power, "The numbers are AlphaEarth's 8-bit ones written as floats; they are decoded here."
)


def scaled(scales: np.ndarray, offsets: np.ndarray) -> Decoding:
    """Stored numbers times a scale plus an offset, one of each a dimension."""
    return Decoding(
        "v times the file's scale, plus its offset",
        lambda values: values.astype(np.float32) * scales.astype(np.float32) + offsets.astype(np.float32),
    )


def decoding_named(words: str, scales: Sequence[float], offsets: Sequence[float]) -> Decoding:
    """The decoding whose formula is this one; of the others, by a file's own scales and offsets."""
    known = {one.words: one for one in (AS_STORED, POWER, _LINEAR, _UNDONE)}
    return known.get(words) or scaled(np.asarray(scales), np.asarray(offsets))


def decoding_of_unit_vectors(sample: np.ndarray, where: str) -> Decoding:
    """The way to decode a product whose embeddings are of length 1.

    Args:
        sample: (n, D) stored numbers without gaps.

    Raises:
        StoreError: no way gives length 1.
    """
    is_whole = np.issubdtype(sample.dtype, np.integer)
    ways = (POWER, _LINEAR) if is_whole else (AS_STORED, _UNDONE, _POWER_OF_FLOATS)
    for way in ways:
        if is_unit_length(way.decode(sample)):
            return way
    told = "; ".join(f"{way.words} gives {median_length(way.decode(sample)):.3g}" for way in ways)
    raise StoreError(
        f"{where} is named like embeddings of length 1, or stated to be, and no known decoding gives that: {told}. Take the file from its "
        f"publisher again, or ask who wrote it how its numbers are meant."
    )


def decoding_of_others(
    sample: np.ndarray, where: str, scales: Sequence[float], offsets: Sequence[float]
) -> Decoding:
    """The way to decode embeddings of a product that is not known.

    Raises:
        StoreError: whole numbers without a scale.
    """
    if any(scale != 1 for scale in scales) or any(offset != 0 for offset in offsets):
        return scaled(np.asarray(scales), np.asarray(offsets))
    if np.issubdtype(sample.dtype, np.floating):
        return AS_STORED
    known = " AlphaEarth's numbers are decoded where --model alphaearth_v1 states a GeoTIFF to be of it."
    raise StoreError(
        f"{where} holds whole numbers ({sample.dtype}) and no scale, so that nothing tells how they become embeddings. Write "
        f"the scale into the file (gdal_edit -scale), or decode it to float32 first.{known if sample.shape[-1] == 64 else ''}"
    )


def median_length(vectors: np.ndarray) -> float:
    """Median Euclidean length of (n, D) vectors."""
    return float(np.median(np.linalg.norm(vectors.astype(np.float64), axis=-1)))


def is_unit_length(vectors: np.ndarray) -> bool:
    """Whether (n, D) vectors are of length 1: their median within 0.02, nine of ten within 0.05."""
    off = np.abs(np.linalg.norm(vectors.astype(np.float64), axis=-1) - 1)
    return abs(median_length(vectors) - 1) <= _UNIT and float((off <= _UNIT_OF_MOST).mean()) >= _MOSTLY
