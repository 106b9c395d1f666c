"""DOFA: any bands by wavelength through a dynamic patch embedding; a plain ViT without a final norm.

Source: Xiong et al. 2024 (arXiv:2403.15356); torchgeo/models/dofa.py. Another chip size than the training
one resizes the position table at run time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import nn

from engine.backbones.core.batch import Batch, Embedded
from engine.backbones.core.batch_checks import one_date, require_multiple
from engine.backbones.core.pixels import as_map, layer_numbers, standardised
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import RADAR_BANDS, BackboneSpec
from engine.backbones.dofa.statistics import RADAR_STATISTICS
from engine.backbones.parts.bands import nearest_band, optical_um
from engine.backbones.parts.blocks import layer_norm, through, trunk
from engine.backbones.parts.constructor import argument
from engine.backbones.parts.key_table import meta_state, renamed
from engine.backbones.parts.positions import TableCache, resampled
from engine.backbones.parts.radar import in_radar_unit
from engine.backbones.parts.wavelength_patches import DOFA_RECIPE, WavelengthPatches
from engine.backbones.weights.checkpoint import require_same_tensors

RADAR_UM = 5.405  # the authors' label for C band (their unit is micrometres; the true one is 5.4 cm)


class DofaEncoder(nn.Module):
    """DOFA's encoder; its state_dict has the official keys."""

    def __init__(
        self, img_size: int, patch_px: int, dim: int, depth: int, heads: int, mlp_ratio: float,
        norm_eps: float, wave_dim: int, weight_tokens: int, wave_heads: int, wave_hidden: int, resize: str,
    ) -> None:  # fmt: skip
        super().__init__()
        self.resize = resize
        self.patch_embed = WavelengthPatches(
            DOFA_RECIPE, patch_px, dim, wave_dim, weight_tokens, wave_heads, wave_hidden
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, (img_size // patch_px) ** 2 + 1, dim))
        self.blocks = trunk(dim, depth, heads, mlp_ratio, layer_norm(norm_eps))
        self._tables = TableCache()
        self.register_load_state_dict_post_hook(_forget)  # type: ignore[no-untyped-call]

    def positions(self, grid: tuple[int, int]) -> torch.Tensor:
        """(1, h*w, D): the learned table, resized where the grid is not the training one."""
        side = math.isqrt(self.pos_embed.shape[1] - 1)
        if grid == (side, side):
            return self.pos_embed[:, 1:]

        def make() -> torch.Tensor:
            return resampled(
                self.pos_embed[:, 1:].detach(), (side, side), grid, self.resize, align_corners=False
            )

        return self._tables.get((grid, self.resize), self.pos_embed.device, make)

    def tokens_in(self, image: torch.Tensor, wavelengths_um: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) pixels of bands at `wavelengths_um` (C,) as (B, 1 + h*w, D), the class token first."""
        tokens = self.patch_embed(image, wavelengths_um) + self.positions(self.patch_embed.grid(image))
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(image.shape[0], -1, -1)
        return torch.cat([cls, tokens], dim=1)

    def forward(
        self, image: torch.Tensor, layers: Collection[int], wavelengths_um: torch.Tensor
    ) -> dict[int, torch.Tensor]:
        """Layer -> (B, 1 + h*w, D); no layer is normed."""
        return through(self.blocks, None, self.tokens_in(image, wavelengths_um), layers)


def _forget(module: DofaEncoder, _: object) -> None:
    module._tables.clear()


def encoder(spec: BackboneSpec) -> DofaEncoder:
    """The encoder of a card, untrained; bands are read by wavelength with each image."""
    config = spec.config
    return DofaEncoder(
        img_size=argument(config, "img_size", int),
        patch_px=argument(config, "patch_size", int),
        dim=argument(config, "embed_dim", int),
        depth=argument(config, "depth", int),
        heads=argument(config, "num_heads", int),
        mlp_ratio=argument(config, "mlp_ratio", float, 4.0),
        norm_eps=argument(config, "norm_eps", float, 1e-6),
        wave_dim=argument(config, "wave_dim", int, 128),
        weight_tokens=argument(config, "num_latent_tokens", int, 128),
        wave_heads=argument(config, "wave_heads", int, 4),
        wave_hidden=argument(config, "wave_ff", int, 2048),
        resize=argument(config, "pos_interp_mode", str, "bicubic"),
    )


def official_to_encoder(state: Mapping[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The encoder's part of the authors' checkpoint or of torchgeo's copy of it.

    Raises:
        WeightsError: keys are missing, unknown or of another shape.
    """

    def rename(key: str) -> str | None:
        return (
            None
            if key == "mask_token" or key.startswith(("norm.", "projector.", "fc_norm.", "head."))
            else key
        )

    found = renamed(state, rename)
    require_same_tensors(spec.name, meta_state(lambda: encoder(spec)), found)
    return found


class DofaBackbone:
    """DOFA as a `Backbone`; see `engine.backbones.core.batch`."""

    def __init__(
        self, spec: BackboneSpec, module: DofaEncoder, weights_sha256: str, settings: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self.settings = settle(spec, settings)
        self.module = module.eval().requires_grad_(False)
        self.module.resize = self.settings["position_resize"]

    @torch.no_grad()
    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Maps (B, h, w, D) and class tokens.

        Raises:
            BackboneError: several dates, sides that are no multiple of the patch, or a layer
                that does not exist.
        """
        numbers = layer_numbers(self.spec, layers)
        pixels, valid = one_date(batch.image, batch.valid, self.spec.name)
        require_multiple(pixels, self.spec.patch_px, self.spec.name)
        image = self._standardised(pixels, valid, batch)
        waves = [
            RADAR_UM if band in RADAR_BANDS else optical_um(self.spec, band, um)
            for band, um in zip(batch.bands, batch.wavelengths_um, strict=True)
        ]
        outputs = self.module(image, numbers, torch.tensor(waves))
        grid = self.module.patch_embed.grid(image)
        maps = [as_map(outputs[n], 1, grid) for n in numbers]
        return Embedded(maps=maps, cls=[outputs[n][:, 0].float() for n in numbers])

    def _standardised(self, pixels: torch.Tensor, valid: torch.Tensor, batch: Batch) -> torch.Tensor:
        white = self.settings["reflectance_at_255"]
        if white == "none":
            return standardised(pixels, (0.0,) * len(batch.bands), (1.0,) * len(batch.bands), valid)
        pixels = in_radar_unit(pixels, batch.bands, batch, self.settings["radar_values"], "db")
        rows = [
            self._row(b, um, float(white)) for b, um in zip(batch.bands, batch.wavelengths_um, strict=True)
        ]
        scale, low, high, mean, std = (
            pixels.new_tensor(column).view(-1, 1, 1) for column in zip(*rows, strict=True)
        )
        clipped = torch.minimum(torch.maximum(pixels * scale, low), high)  # a NaN stays one
        return standardised(clipped, mean.flatten().tolist(), std.flatten().tolist(), valid)

    def _row(
        self, band: str, wavelength_um: float | None, white: float
    ) -> tuple[float, float, float, float, float]:
        """Scale, limits, mean and deviation: by name, otherwise by the nearest wavelength."""
        if band in RADAR_BANDS:
            return 1.0, -math.inf, math.inf, *RADAR_STATISTICS[band]
        spec, norm = self.spec, self.spec.normalisation
        if band in spec.bands:
            index = spec.bands.index(band)
        else:
            index = nearest_band(spec.wavelengths_um, optical_um(spec, band, wavelength_um))
        return 255.0 / white, 0.0, 255.0, norm.mean[index], norm.std[index]


def wrap(
    spec: BackboneSpec, module: DofaEncoder, weights_sha256: str, settings: Mapping[str, str]
) -> DofaBackbone:
    """The encoder as a `Backbone`.

    Raises:
        BackboneError: a setting that the card does not offer.
    """
    return DofaBackbone(spec, module, weights_sha256, settings)
