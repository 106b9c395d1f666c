"""Scenes of several dates through an encoder of single images: each date alone, then joined.

The ways are those of TerraTorch's temporal wrapper: mean, max, difference (first minus second of two dates),
concatenate (dates side by side, time-major) and keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import torch

from engine.backbones.core.batch import Backbone, Batch, Embedded
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError
from engine.nearest import nearest

Join = Callable[[torch.Tensor], torch.Tensor]

# Each takes (B, T, ..., D).
WAYS: Mapping[str, Join] = MappingProxyType({
    "mean": lambda dates: dates.mean(dim=1),
    "max": lambda dates: dates.amax(dim=1),
    "difference": lambda dates: dates[:, 0] - dates[:, 1],
    "concatenate": lambda dates: torch.cat(list(dates.unbind(dim=1)), dim=-1),
    "keep": lambda dates: dates,
})  # fmt: skip


class TemporalBackbone:
    """A backbone of single images that takes several dates.

    An encoder that attends across dates itself (`max_frames` above 1) gets them all at once, untouched. With
    "keep" a date axis stays: maps are (B, T, h, w, D) and class tokens (B, T, D).
    """

    def __init__(self, inner: Backbone, way: str) -> None:
        if way not in WAYS:
            raise BackboneError(
                f"{way!r} is no way to join dates{nearest(way, WAYS)}; choose among {', '.join(WAYS)}. "
                f"Correct backbone.temporal."
            )
        self.spec: BackboneSpec = inner.spec
        self.weights_sha256: str = inner.weights_sha256
        self._inner, self._way = inner, way

    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Embeddings of every chip at the layers asked for, dates joined.

        Raises:
            BackboneError: a difference of other than two dates; see also the encoder's own.
        """
        frames = batch.image.shape[1]
        if self.spec.max_frames > 1:
            return self._inner.embed(batch, layers)
        if self._way == "difference" and frames != 2:
            raise BackboneError(
                f"a difference is of two dates; the scene has {frames}. "
                f"Choose two, or join them by mean or max."
            )
        alone = self._inner.embed(_one_date_each(batch), layers)
        join = WAYS[self._way]
        maps = [join(_by_chip(item, frames)) for item in alone.maps]
        return Embedded(
            maps, None if alone.cls is None else [join(_by_chip(item, frames)) for item in alone.cls]
        )


def _one_date_each(batch: Batch) -> Batch:
    """(B, T) chips as (B*T, 1) chips, the dates of a chip side by side."""
    frames = batch.image.shape[1]
    return replace(
        batch,
        image=batch.image.flatten(0, 1)[:, None],
        valid=batch.valid.flatten(0, 1)[:, None],
        datetimes=[[when] for dates in batch.datetimes for when in dates],
        lonlat=None if batch.lonlat is None else batch.lonlat.repeat_interleave(frames, dim=0),
    )


def _by_chip(item: torch.Tensor, frames: int) -> torch.Tensor:
    """(B*T, ...) -> (B, T, ...)."""
    return item.reshape(-1, frames, *item.shape[1:])
