"""How a map holds embeddings in 8 bits: by a scale a dimension, or as AlphaEarth publishes its own, which loses nothing of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.store.products.decoding import POWER
from engine.store.products.known import ALPHAEARTH, ALPHAEARTH_BANDS
from engine.store.schema import StoreMeta
from engine.views.export.quantisation import GAP, RoundTrip, by_dimension, scales_by_dimension

_STEPS = 127
_ROOT = 127.5  # v = sign(x) sqrt(|x|) 127.5: the inverse of POWER


@dataclass(frozen=True)
class Steps:
    """The 8-bit numbers of a map.

    Attributes:
        method: in words.
        encode: (..., D) embeddings to (..., D) int8, GAP where a number is not finite.
        decode: the way back, float32; gaps are not looked at.
        scales: of the bands; none where numbers are no multiples of a step.
        band_names: as the publisher has them; none: those of the store.
        tags: what tells a reader of these numbers.
    """

    method: str
    encode: RoundTrip
    decode: RoundTrip
    scales: tuple[float, ...] = ()
    band_names: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


def is_alphaearth(meta: StoreMeta, dim: int) -> bool:
    """Whether a layer holds AlphaEarth's embeddings, which are published in 8 bits."""
    return meta.backbone == ALPHAEARTH.model and dim == len(ALPHAEARTH_BANDS)


def alphaearth_steps() -> Steps:
    """The numbers as AlphaEarth publishes them, so that they are quantised no second time."""
    return Steps(
        f"{POWER.words}, AlphaEarth's own numbers", _alphaearth_numbers, POWER.decode, (), ALPHAEARTH_BANDS,
        (("EMBERSCOPE_DECODING", POWER.words),),
    )  # fmt: skip


def linear_steps(blocks: Iterable[np.ndarray]) -> Steps:
    """Numbers with a scale a dimension, which holds every one of (n, D) blocks."""
    scales = scales_by_dimension(blocks)
    return Steps(
        "one scale a dimension",
        lambda values: by_dimension(values, scales),
        lambda numbers: numbers.astype(np.float32) * scales.astype(np.float32),
        tuple(scales.tolist()),
    )


def _alphaearth_numbers(values: np.ndarray) -> np.ndarray:
    is_gap = ~np.isfinite(values).all(axis=-1)
    exact = np.where(is_gap[..., None], 0, values).astype(np.float64)
    numbers = np.clip(np.rint(np.sign(exact) * np.sqrt(np.abs(exact)) * _ROOT), -_STEPS, _STEPS)
    return np.where(is_gap[..., None], GAP, numbers).astype(np.int8)
