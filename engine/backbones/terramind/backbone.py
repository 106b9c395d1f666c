"""TerraMind as a backbone: reflectance to modalities, tokens of all modalities merged into one map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import nn

from engine.backbones.core.batch import Backbone, Batch, Embedded
from engine.backbones.core.batch_checks import one_date, pick_bands, require_multiple
from engine.backbones.core.pixels import as_map, layer_numbers, standardised
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.radar import in_radar_unit
from engine.backbones.terramind.encoder import TerraMindEncoder, merged
from engine.backbones.terramind.modalities import MODALITIES
from engine.backbones.terramind.settings import NDVI_FROM, companions, modality_bands, modality_names
from engine.backbones.terramind.tokenizer import TokenizerEncoder
from engine.errors import WeightsError


class TerraMindBackbone:
    """TerraMind as a `Backbone`; see `engine.backbones.core.batch`. It has no class token."""

    def __init__(
        self, spec: BackboneSpec, module: TerraMindEncoder, weights_sha256: str, settings: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self.settings = settle(spec, settings)
        self.module = module.eval().requires_grad_(False)
        self.modalities = modality_names(spec)
        missing = [name for name in companions(spec) if name not in module.tokenizers]
        if missing:
            raise WeightsError(
                f"{spec.name} reads {', '.join(missing)} through a tokenizer; none was loaded. "
                f"Fetch its weights, or set {', '.join(name.lower() for name in missing)}: ignore."
            )

    @torch.no_grad()
    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Maps (B, h, w, D), or (B, h, w, M*D) where modalities are concatenated.

        Raises:
            MissingBand: the batch lacks a band of a modality.
            BackboneError: several dates, sides that are no multiple of 16, or a layer that does not exist.
        """
        numbers = layer_numbers(self.spec, layers)
        _, valid = one_date(batch.image, batch.valid, self.spec.name)
        require_multiple(batch.image, self.spec.patch_px, self.spec.name)
        inputs = {name: self._input(name, batch, valid) for name in self.modalities}
        outputs = self.module(inputs, numbers)
        grid = self.module.grid_of(inputs)
        counts = [grid[0] * grid[1]] * len(inputs)
        how = self.settings["merge"]
        return Embedded(maps=[as_map(merged(outputs[n], counts, how), 0, grid) for n in numbers])

    def _input(self, name: str, batch: Batch, valid: torch.Tensor) -> torch.Tensor:
        """What one modality's embedding takes: standardised pixels, or token ids."""
        if MODALITIES[name].kind == "token image":
            return self._token_ids(name, batch, valid)
        modality = MODALITIES[name]
        bands = modality_bands(self.spec).get(name, modality.bands)
        indices = [modality.bands.index(band) for band in bands]
        pixels = pick_bands(batch, bands, self.spec.name)[:, 0]
        scale, offset = 1.0, 0.0
        match name:
            case "S2L2A" | "S2L1C":
                scale, offset = 1e4, float(self.settings["sentinel2_offset"])
            case "RGB":
                pixels = (pixels * (255.0 / float(self.settings["rgb_white"]))).clamp(0.0, 255.0)
            case "S1GRD" | "S1RTC":
                pixels = in_radar_unit(pixels, bands, batch, self.settings["radar_values"], "db")
        mean, std = [modality.mean[i] for i in indices], [modality.std[i] for i in indices]
        return standardised(pixels, mean, std, valid, scale, offset)

    def _token_ids(self, name: str, batch: Batch, valid: torch.Tensor) -> torch.Tensor:
        """(B, h, w) ids of a land-cover map or of a vegetation index."""
        tokenizer = cast("TokenizerEncoder", self.module.tokenizers[name])
        if name == "LULC":
            classes = pick_bands(batch, ("lulc",), self.spec.name)[:, 0, 0]
            return tokenizer.encode(torch.where(valid, classes, 0.0).round().long()).token_ids  # 0 = no data
        if "ndvi" in batch.bands:
            index = pick_bands(batch, ("ndvi",), self.spec.name)[:, 0]
        else:
            red, infrared = pick_bands(batch, NDVI_FROM, self.spec.name)[:, 0].unbind(dim=1)
            index = ((infrared - red) / (infrared + red))[:, None]
            valid = valid & torch.isfinite(index[:, 0])  # dark in both bands
        modality = MODALITIES["NDVI"]
        return tokenizer.encode(standardised(index, modality.mean, modality.std, valid)).token_ids


def attach(module: TerraMindEncoder, modality: str, tokenizer: nn.Module) -> None:
    """Give the encoder the tokenizer that it reads a modality through."""
    module.tokenizers[modality] = tokenizer.eval().requires_grad_(False)


def wrap(
    spec: BackboneSpec, module: TerraMindEncoder, weights_sha256: str, settings: Mapping[str, str]
) -> Backbone:
    """The encoder as a `Backbone`.

    Raises:
        BackboneError: a setting that the card does not offer.
        WeightsError: a tokenizer is needed and not attached.
    """
    return TerraMindBackbone(spec, module, weights_sha256, settings)
