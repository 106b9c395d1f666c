"""The patch's own reflectances as its embedding: the backbone of baselines such as an NBR threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from engine.backbones.core.batch import Batch, Embedded
from engine.backbones.core.batch_checks import one_date, pick_bands, require_multiple
from engine.backbones.core.pixels import layer_numbers
from engine.backbones.core.spec import BackboneSpec


class RawBackbone:
    """D = patch * patch * bands: pixel rows from the north, then columns, then bands; gaps are 0."""

    weights_sha256 = "none"

    def __init__(self, spec: BackboneSpec) -> None:
        self.spec = spec

    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """The reflectances of each patch, the same for every layer asked; see `Backbone.embed`."""
        layer_numbers(self.spec, layers)
        image, valid = one_date(
            pick_bands(batch, self.spec.bands, self.spec.name), batch.valid, self.spec.name
        )
        patch = self.spec.patch_px
        require_multiple(image, patch, self.spec.name)
        image = torch.where(valid.unsqueeze(1), image, 0.0)
        chips, bands, height, width = image.shape
        blocks = image.reshape(chips, bands, height // patch, patch, width // patch, patch)
        rows = blocks.permute(0, 2, 4, 3, 5, 1)  # (B, h, w, patch row, patch column, C)
        embedding = rows.reshape(chips, height // patch, width // patch, -1).float()
        return Embedded([embedding for _ in layers])


def wrap(spec: BackboneSpec, _: object, __: str, ___: Mapping[str, str]) -> RawBackbone:
    """Raw pixels as a `Backbone`."""
    return RawBackbone(spec)
