"""TerraMind's FSQ tokenizers for land cover (LULC) and vegetation index (NDVI): a map becomes token ids.

Source: Jakubik et al. 2025 (arXiv:2504.11171); finite scalar quantisation after Mentzer et al. 2023
(arXiv:2309.15505). Only the encoder half is built.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from timm.layers.mlp import Mlp
from torch import nn

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.blocks import layer_norm, trunk
from engine.backbones.parts.constructor import argument
from engine.backbones.parts.key_table import meta_state, renamed
from engine.backbones.parts.positions import transposed_table
from engine.backbones.weights.checkpoint import require_same_tensors
from engine.errors import BackboneError


@dataclass(frozen=True)
class Encoded:
    """What a tokenizer makes of a map.

    Attributes:
        encoder_map: (B, D, h, w).
        latent: (B, number of levels, h, w), before quantisation.
        code: the same, quantised to [0, 1].
        token_ids: (B, h, w) int64.
    """

    encoder_map: torch.Tensor
    latent: torch.Tensor
    code: torch.Tensor
    token_ids: torch.Tensor


class TokenizerEncoder(nn.Module):
    """A ViT without class token, a last tanh MLP, and a projection to the quantised dimensions."""

    pos_emb: torch.Tensor

    def __init__(
        self, img_size: int, patch_px: int, channels: int, dim: int, depth: int, heads: int,
        mlp_ratio: float, norm_eps: float, levels: tuple[int, ...],
    ) -> None:  # fmt: skip
        super().__init__()
        side = img_size // patch_px
        self.channels, self.levels = channels, levels
        norm = layer_norm(norm_eps)
        self.proj = nn.Conv2d(channels, dim, patch_px, stride=patch_px)
        table = transposed_table(dim, side, side).T.reshape(1, dim, side, side).contiguous()
        self.register_buffer("pos_emb", table)
        self.blocks = trunk(dim, depth, heads, mlp_ratio, norm)
        self.norm_mlp = norm(dim)
        self.post_mlp = Mlp(dim, int(dim * mlp_ratio), act_layer=nn.Tanh)
        self.quant_proj = nn.Conv2d(dim, len(levels), 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, D, h, w)."""
        patches: torch.Tensor = self.proj(image)
        grid = (patches.shape[-2], patches.shape[-1])
        positions = self.pos_emb
        if tuple(positions.shape[-2:]) != grid:
            positions = nn.functional.interpolate(positions, size=grid, mode="bicubic", align_corners=False)
        tokens = (patches + positions).flatten(2).transpose(1, 2)  # (B, h*w, D)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = tokens + self.post_mlp(self.norm_mlp(tokens))
        encoded: torch.Tensor = tokens.transpose(1, 2).reshape(len(tokens), -1, *grid)
        return encoded

    @torch.no_grad()
    def encode(self, values: torch.Tensor) -> Encoded:
        """Token ids of a map.

        Args:
            values: (B, H, W) integer class ids (one-hot encoded here), or (B, C, H, W) or, for one channel,
                (B, H, W) standardised values.
        """
        with torch.autocast(values.device.type, enabled=False):  # rounding decides the ids: float32 only
            encoded = self(self._channels(values))
            latent = self.quant_proj(encoded)
        steps = latent.new_tensor([level - 1 for level in self.levels]).view(1, -1, 1, 1)
        numbers = torch.round(torch.sigmoid(latent) * steps)
        steps_of_levels = [math.prod(self.levels[:i]) for i in range(len(self.levels))]
        weights = torch.tensor(steps_of_levels, device=latent.device).view(1, -1, 1, 1)
        ids = (numbers.long() * weights).sum(dim=1)
        return Encoded(encoded, latent, numbers / steps, ids)

    def _channels(self, values: torch.Tensor) -> torch.Tensor:
        if values.ndim == 4 and values.shape[1] == self.channels:
            return values.float()
        plane = values[:, 0] if values.ndim == 4 else values
        if self.channels == 1:
            return plane.float()[:, None]
        ids = plane.long()
        if bool(((ids < 0) | (ids >= self.channels)).any()):
            raise BackboneError(
                f"The land-cover band has class ids {int(ids.min())} to {int(ids.max())}; the model knows 0 to "
                f"{self.channels - 1}. Map the band's classes to the model's first."
            )
        return nn.functional.one_hot(ids, self.channels).permute(0, 3, 1, 2).float()


def encoder(spec: BackboneSpec) -> TokenizerEncoder:
    """The tokenizer of a card, untrained; works on the meta device."""
    config = spec.config
    return TokenizerEncoder(
        img_size=argument(config, "img_size", int),
        patch_px=argument(config, "patch_size", int),
        channels=argument(config, "in_chans", int),
        dim=argument(config, "embed_dim", int),
        depth=argument(config, "depth", int),
        heads=argument(config, "num_heads", int),
        mlp_ratio=argument(config, "mlp_ratio", float, 4.0),
        norm_eps=argument(config, "norm_eps", float, 1e-6),
        levels=tuple(int(str(level)) for level in argument(config, "fsq_levels", list)),
    )


def official_to_encoder(state: Mapping[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The encoder half of a released tokenizer checkpoint.

    Raises:
        WeightsError: keys are missing, unknown or of another shape.
    """

    def rename(key: str) -> str | None:
        if key.startswith(("decoder.", "post_quant_proj.", "quantize.")):
            return None
        return key.removeprefix("encoder.")

    found = renamed(state, rename)
    require_same_tensors(spec.name, meta_state(lambda: encoder(spec)), found)
    return found
