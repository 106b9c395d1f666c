"""What goes into an encoder and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import torch

from engine.backbones.spec import BackboneSpec


@dataclass(frozen=True)
class Batch:
    """Chips of one size and one band set, ready for any backbone.

    Attributes:
        image: (B, T, C, H, W) float32 surface reflectance, about 0 to 1, bands in the order of `bands`.
            Values where `valid` is False mean nothing; the adapter replaces them after standardising.
        valid: (B, T, H, W) bool.
        bands: common names of the C bands.
        wavelengths_um: centre wavelengths of the C bands.
        gsd_m: ground sampling distance.
        datetimes: (B, T) acquisition times, None where the scene does not state one.
        lonlat: (B, 2) chip centres in degrees, or None where the place is not to be used.
    """

    image: torch.Tensor
    valid: torch.Tensor
    bands: tuple[str, ...]
    wavelengths_um: tuple[float, ...]
    gsd_m: float
    datetimes: Sequence[Sequence[datetime | None]]
    lonlat: torch.Tensor | None = None


@dataclass(frozen=True)
class Embedded:
    """One entry a layer asked for, in the order asked.

    Attributes:
        maps: (B, h, w, D) float32 each; h = H / stride, rows from the north, prefix tokens removed.
            An encoder that attends across T dates yields (B, h, w, T * D), time-major.
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
