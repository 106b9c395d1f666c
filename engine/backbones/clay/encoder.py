"""Clay v1 and v1.5: any bands by wavelength, with time, location and ground sampling distance.

Source: the Clay Foundation's model repository, src/model.py. v1 and v1.5 share their mathematics.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import torch
from torch import nn

from engine.backbones.clay.sensors import statistics
from engine.backbones.core.batch import Batch, Embedded
from engine.backbones.core.batch_checks import one_date, require_multiple
from engine.backbones.core.pixels import as_map, layer_numbers, standardised
from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.blocks import layer_norm, through, trunk
from engine.backbones.parts.constructor import argument
from engine.backbones.parts.key_table import meta_state, renamed
from engine.backbones.parts.positions import TableCache, scaled_table
from engine.backbones.parts.radar import in_radar_unit
from engine.backbones.parts.wavelength_patches import CLAY_RECIPE, WavelengthPatches
from engine.backbones.weights.checkpoint import require_same_tensors
from engine.errors import BackboneError

_META_DIMS = 8  # the last channels of the position: time (4) and location (4)


class ClayEncoder(nn.Module):
    """Clay's encoder on timm's blocks."""

    def __init__(
        self, patch_px: int, dim: int, depth: int, heads: int, mlp_ratio: float, norm_eps: float,
        wave_dim: int, weight_tokens: int, wave_heads: int, wave_hidden: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.dim = dim
        self.patch_embed = WavelengthPatches(
            CLAY_RECIPE, patch_px, dim, wave_dim, weight_tokens, wave_heads, wave_hidden
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        norm = layer_norm(norm_eps)
        self.blocks = trunk(dim, depth, heads, mlp_ratio, norm, qkv_bias=False)
        for block in self.blocks:
            block.get_submodule("attn.proj").register_parameter(
                "bias", None
            )  # timm ties this bias to the MLP's; Clay has the latter only
        self.norm = norm(dim)
        self._tables = TableCache()

    def tokens_in(
        self,
        image: torch.Tensor,
        wavelengths_um: torch.Tensor,
        gsd_m: float,
        time: torch.Tensor | None = None,
        location: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Tokens that enter the first block.

        Args:
            image: (B, C, H, W) standardised.
            wavelengths_um: (C,) centre wavelengths.
            gsd_m: ground sampling distance.
            time: (B, 4) sine and cosine of the week and of the hour; None: unknown, zeros.
            location: (B, 4) sine and cosine of latitude and of longitude; None: unknown, zeros.

        Returns:
            (B, 1 + h*w, D), the class token (without position) first.
        """
        tokens = self.patch_embed(image, wavelengths_um)
        grid, batch = self.patch_embed.grid(image), image.shape[0]
        space = self._tables.get(
            (grid, gsd_m), tokens.device, lambda: scaled_table(self.dim - _META_DIMS, *grid, gsd_m)
        )
        meta = torch.cat(
            [_or_zeros(time, tokens, batch), _or_zeros(location, tokens, batch)], dim=1
        )  # (B, 8)
        space = space[None].expand(batch, -1, -1)
        meta = meta[:, None].expand(-1, space.shape[1], -1)
        tokens = tokens + torch.cat([space, meta], dim=2)
        return torch.cat([self.cls_token.expand(batch, -1, -1), tokens], dim=1)

    def forward(
        self,
        image: torch.Tensor,
        layers: Collection[int],
        wavelengths_um: torch.Tensor,
        gsd_m: float,
        time: torch.Tensor | None = None,
        location: torch.Tensor | None = None,
    ) -> dict[int, torch.Tensor]:
        """Layer -> (B, 1 + h*w, D); see `tokens_in`."""
        return through(
            self.blocks, self.norm, self.tokens_in(image, wavelengths_um, gsd_m, time, location), layers
        )


def encoder(spec: BackboneSpec) -> ClayEncoder:
    """The encoder of a card, untrained; bands are read by wavelength with each image."""
    config = spec.config
    dim, heads = argument(config, "embed_dim", int), argument(config, "num_heads", int)
    head_dim = argument(config, "head_dim", int, dim // heads)
    if head_dim * heads != dim:
        raise BackboneError(
            f"head_dim is {head_dim}; {heads} heads of a width of {dim} need {dim // heads}. Correct head_dim."
        )
    return ClayEncoder(
        patch_px=argument(config, "patch_size", int),
        dim=dim,
        depth=argument(config, "depth", int),
        heads=heads,
        mlp_ratio=argument(config, "mlp_ratio", float, 4.0),
        norm_eps=argument(config, "norm_eps", float, 1e-5),
        wave_dim=argument(config, "wave_dim", int, 128),
        weight_tokens=argument(config, "num_latent_tokens", int, 128),
        wave_heads=argument(config, "wave_heads", int, 4),
        wave_hidden=argument(config, "wave_ff", int, 2048),
    )


_INSIDE_LAYER = {
    "0.norm": "norm1", "0.to_qkv": "attn.qkv", "0.to_out": "attn.proj",
    "1.net.0": "norm2", "1.net.1": "mlp.fc1", "1.net.3": "mlp.fc2",
}  # fmt: skip


def official_to_encoder(state: Mapping[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The encoder's part of a Lightning state_dict (decoder, projection and teacher are dropped).

    Raises:
        WeightsError: keys are missing, unknown or of another shape.
    """
    found = renamed(state, _rename)
    require_same_tensors(spec.name, meta_state(lambda: encoder(spec)), found)
    return found


def _rename(key: str) -> str | None:
    if key.startswith(("model.decoder.", "model.proj.", "model.teacher.")):
        return None
    name = key.removeprefix("model.encoder.")
    if name.startswith("transformer.norm."):
        return name.removeprefix("transformer.")
    found = re.fullmatch(r"transformer\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
    if found and found[2] in _INSIDE_LAYER:
        return f"blocks.{found[1]}.{_INSIDE_LAYER[found[2]]}.{found[3]}"
    return name.replace("patch_embedding.", "patch_embed.", 1)


class ClayBackbone:
    """Clay as a `Backbone`; see `engine.backbones.core.batch`."""

    def __init__(
        self, spec: BackboneSpec, module: ClayEncoder, weights_sha256: str, settings: Mapping[str, str]
    ) -> None:
        self.spec = spec
        self.weights_sha256 = weights_sha256
        self.module = module.eval().requires_grad_(False)
        self.settings = settle(spec, settings)

    @torch.no_grad()
    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        """Maps (B, h, w, D) and class tokens.

        Raises:
            BackboneError: several dates, sides that are no multiple of the patch, a layer that does
                not exist, or a radar band without statistics.
            MissingBand: a band without a wavelength.
        """
        numbers = layer_numbers(self.spec, layers)
        pixels, valid = one_date(batch.image, batch.valid, self.spec.name)
        require_multiple(pixels, self.spec.patch_px, self.spec.name)
        table = statistics(batch.bands, batch.wavelengths_um, self.settings["statistics"], self.spec)
        pixels = in_radar_unit(
            pixels, batch.bands, batch, self.settings["radar_values"], str(self.spec.config["radar_unit"])
        )
        image = standardised(pixels, table.mean, table.std, valid, table.scale, table.offset)
        waves = table.training_um if self.settings["wavelengths"] == "training" else table.sensor_um
        outputs = self.module(
            image, numbers, torch.tensor(waves), batch.gsd_m, self._time(batch), self._location(batch)
        )
        grid = self.module.patch_embed.grid(image)
        maps = [as_map(outputs[n], 1, grid) for n in numbers]
        return Embedded(maps=maps, cls=[outputs[n][:, 0].float() for n in numbers])

    def _time(self, batch: Batch) -> torch.Tensor | None:
        if self.settings["time"] == "ignore":
            return None
        return torch.tensor([week_and_hour(dates[0]) for dates in batch.datetimes], device=batch.image.device)

    def _location(self, batch: Batch) -> torch.Tensor | None:
        if self.settings["location"] == "ignore" or batch.lonlat is None:
            return None
        lonlat = torch.deg2rad(batch.lonlat.to(device=batch.image.device, dtype=torch.float32))
        lon, lat = lonlat.unbind(dim=1)
        location = torch.stack([lat.sin(), lat.cos(), lon.sin(), lon.cos()], dim=1)
        return torch.where(torch.isfinite(location).all(dim=1, keepdim=True), location, 0.0)


def wrap(
    spec: BackboneSpec, module: ClayEncoder, weights_sha256: str, settings: Mapping[str, str]
) -> ClayBackbone:
    """The encoder as a `Backbone`.

    Raises:
        BackboneError: a setting that the card does not offer.
    """
    return ClayBackbone(spec, module, weights_sha256, settings)


def week_and_hour(when: datetime | None) -> tuple[float, float, float, float]:
    """Sine and cosine of the ISO week (of 52) and of the hour (of 24); zeros where the time is unknown."""
    if when is None:
        return 0.0, 0.0, 0.0, 0.0
    week = 2 * math.pi * when.isocalendar().week / 52
    hour = 2 * math.pi * when.hour / 24
    return math.sin(week), math.cos(week), math.sin(hour), math.cos(hour)


def _or_zeros(values: torch.Tensor | None, like: torch.Tensor, batch: int) -> torch.Tensor:
    if values is None:
        return like.new_zeros(batch, 4)
    return values.to(device=like.device, dtype=torch.float32)
