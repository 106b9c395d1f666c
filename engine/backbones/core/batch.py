"""What goes into an encoder and what comes out of it: taken apart, and joined."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import torch

from engine.backbones.core.spec import BackboneSpec


@dataclass(frozen=True)
class Batch:
    """Chips of one size and one band set, ready for any backbone.

    Attributes:
        image: (B, T, C, H, W) float32, bands in the order of `bands`: reflectance of about 0 to 1, radar
            backscatter, metres, classes or an index.
            Values where `valid` is False mean nothing; the adapter replaces them after standardising.
            `OnDevice` also takes integers as they are stored: they are a half of the bytes to move, and
            become reflectance on the device.
        valid: (B, T, H, W) bool.
        bands: common names of the C bands.
        wavelengths_um: centre wavelengths of the C bands; None where a band has none.
        units: of the values of the C bands in words, as a sensor states them ("gamma0, linear power",
            "sigma0, decibels"); empty: reflectance, and radar in the unit that the settings say.
        gsd_m: ground sampling distance.
        datetimes: (B, T) acquisition times, None where the scene does not state one.
        scale, offset: reflectance = image * scale + offset, where the image is stored integers.
        lonlat: (B, 2) chip centres in degrees, or None where the location is not to be used.
    """

    image: torch.Tensor
    valid: torch.Tensor
    bands: tuple[str, ...]
    wavelengths_um: tuple[float | None, ...]
    gsd_m: float
    datetimes: Sequence[Sequence[datetime | None]]
    lonlat: torch.Tensor | None = None
    scale: float = 1.0
    offset: float = 0.0
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Embedded:
    """One entry a layer asked for, in the order asked.

    Attributes:
        maps: (B, h, w, D) float32 each; h = H / stride, rows from the north, prefix tokens removed.
            An encoder that attends across T dates yields (B, h, w, T * D), time-major, unless its card `joins_dates`.
        cls: (B, D) each, or None where the model has no class token.
    """

    maps: list[torch.Tensor]
    cls: list[torch.Tensor] | None = None


class Backbone(Protocol):
    """A frozen encoder: eval mode, no gradients, normalises itself from its spec.

    Attributes:
        weights_sha256: of the file that was loaded, or the word "random".
    """

    spec: BackboneSpec
    weights_sha256: str

    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Embeddings of every chip at the layers asked for.

        Raises:
            MissingBand: the batch lacks a band that the model needs.
            BackboneError: a layer that the model does not have, or a chip size it cannot take.
        """
        ...


def as_reflectance(batch: Batch) -> Batch:
    """A batch of stored integers as float32 reflectance, 0 where pixels are not valid, on its own device."""
    if batch.image.dtype == torch.float32:
        return batch
    image = batch.image.to(torch.float32).mul_(batch.scale)
    if batch.offset:
        image.add_(batch.offset)
    # On the CPU it is cheaper to look first; a GPU would have to be waited for.
    if batch.valid.is_cuda or not batch.valid.all():
        image.masked_fill_(~batch.valid.unsqueeze(2), 0.0)
    return dataclasses.replace(batch, image=image, scale=1.0, offset=0.0)


def take(batch: Batch, start: int, stop: int) -> Batch:
    """Chips start (inclusive) to stop (exclusive) of a batch."""
    return dataclasses.replace(
        batch,
        image=batch.image[start:stop],
        valid=batch.valid[start:stop],
        datetimes=batch.datetimes[start:stop],
        lonlat=None if batch.lonlat is None else batch.lonlat[start:stop],
    )


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch of several that differ in their chips only."""
    centres = [batch.lonlat for batch in batches if batch.lonlat is not None]
    return dataclasses.replace(
        batches[0],
        image=torch.cat([batch.image for batch in batches]),
        valid=torch.cat([batch.valid for batch in batches]),
        datetimes=[dates for batch in batches for dates in batch.datetimes],
        lonlat=torch.cat(centres) if centres else None,
    )


def join(parts: Sequence[Embedded]) -> Embedded:
    """One result of several, chips in the order of the parts."""
    if len(parts) == 1:
        return parts[0]
    maps = [torch.cat(maps) for maps in zip(*(part.maps for part in parts), strict=True)]
    have_cls = [part.cls for part in parts if part.cls is not None]
    if not have_cls:
        return Embedded(maps)
    return Embedded(maps, [torch.cat(tokens) for tokens in zip(*have_cls, strict=True)])
