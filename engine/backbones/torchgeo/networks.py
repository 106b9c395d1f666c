"""torchgeo's networks without their classifiers, each giving the outputs of its layers as timm's models do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import timm
import torch
import torchvision
from torch import nn

from engine.backbones.timm.encoder import size_options
from engine.errors import BackboneError

_SWIN_PATCH_PX = 4
_CROMA_PATCH_PX = 8


class SwinLayers(nn.Module):
    """torchvision's Swin V2: four stages, each after the merging of patches that precedes it."""

    def __init__(self, model: str, in_chans: int) -> None:
        super().__init__()
        network: Any = getattr(torchvision.models, model)(weights=None)
        width = network.features[0][0].out_channels
        network.features[0][0] = nn.Conv2d(in_chans, width, _SWIN_PATCH_PX, _SWIN_PATCH_PX)
        network.head = nn.Identity()
        self.network = network
        self.feature_info = [
            {"num_chs": width * 2**stage, "reduction": _SWIN_PATCH_PX * 2**stage} for stage in range(4)
        ]

    def forward_intermediates(
        self, image: torch.Tensor, indices: Sequence[int], **_: bool
    ) -> list[torch.Tensor]:
        """Maps (B, D, h, w) of some stages, the last one through the final norm."""
        found, values = [], self.network.features[0](image)  # (B, h, w, D)
        for stage in range(max(indices) + 1):
            if stage:
                values = self.network.features[2 * stage](values)
            values = self.network.features[2 * stage + 1](values)
            if stage in indices:
                shown = self.network.norm(values) if stage == 3 else values
                found.append(shown.permute(0, 3, 1, 2))
        return found


class CromaLayers(nn.Module):
    """CROMA's optical encoder, its radar encoder, or both and what joins them; layers are those of the last one."""

    def __init__(self, model: str, modalities: Sequence[str]) -> None:
        from torchgeo import models

        super().__init__()
        network: Any = models.get_model(model, modalities=list(modalities), image_size=_CROMA_PATCH_PX)
        self.network = network
        del network.attn_bias  # computed for each size instead
        for name in ("s1_GAP_FFN", "s2_GAP_FFN"):
            setattr(network, name, None)
        depth = len(self._last.layers)
        self.feature_info = [{"num_chs": network.encoder_dim, "reduction": _CROMA_PATCH_PX}] * depth

    @property
    def _last(self) -> Any:
        if len(self.network.modalities) == 2:
            return self.network.joint_encoder
        name = "s1_encoder" if "sar" in self.network.modalities else "s2_encoder"
        return getattr(self.network, name).transformer

    def forward_intermediates(
        self, image: torch.Tensor, indices: Sequence[int], **_: bool
    ) -> list[torch.Tensor]:
        """Maps (B, D, h, w) of some blocks; the last block's tokens pass through the final norm.

        Args:
            image: radar bands first, then optical ones.

        Raises:
            BackboneError: the window is not square.
        """
        height, width = (side // _CROMA_PATCH_PX for side in image.shape[-2:])
        if height != width:
            raise BackboneError(
                f"CROMA takes square windows, not {height} x {width} patches. Set tiles.size_px."
            )
        bias = alibi(height).to(image)
        radar, optical = image[:, :2], image[:, -12:]
        layers, values, context = self._last.layers, None, None
        if len(self.network.modalities) == 2:
            values = self.network.s1_encoder(imgs=radar, attn_bias=bias)
            context = self.network.s2_encoder(imgs=optical, attn_bias=bias)
        else:
            values = self._tokens(radar if "sar" in self.network.modalities else optical)
        found = []
        for index, block in enumerate(layers):
            values = block[0](values, bias) + values
            if context is not None:
                values = block[1](values, context, bias) + values
            values = block[-1](values) + values
            if index in indices:
                shown = self._last.norm_out(values) if index == len(layers) - 1 else values
                found.append(shown.transpose(1, 2).unflatten(2, (height, width)))
        return found

    def _tokens(self, image: torch.Tensor) -> torch.Tensor:
        """(B, h * w, D): patches as vectors, bands first, through the first layer."""
        encoder = self.network.s1_encoder if "sar" in self.network.modalities else self.network.s2_encoder
        patches = nn.functional.unfold(image, _CROMA_PATCH_PX, stride=_CROMA_PATCH_PX)  # (B, C * 64, h * w)
        tokens: torch.Tensor = encoder.linear_input(patches.transpose(1, 2))
        return tokens


def network(model: str, in_chans: int, img_size: int | None, modalities: Sequence[str]) -> nn.Module:
    """A network with random weights.

    Args:
        model: as torchgeo calls it; one of `known.KNOWN`.
        img_size: side of the training images, for networks whose position table depends on it.
        modalities: "sar", "optical" or both, for CROMA.
    """
    if model.startswith("croma"):
        return CromaLayers(model, modalities)
    if model.startswith("swin_v2"):
        return SwinLayers(model, in_chans)
    size: dict[str, Any] = {} if img_size is None else {"img_size": img_size}
    module: nn.Module = timm.create_model(
        model, in_chans=in_chans, num_classes=0, **size, **size_options(model)
    )
    return module


def alibi(side: int, heads: int = 16) -> torch.Tensor:
    """(1, heads, side^2, side^2): what CROMA's attention subtracts for the distance of two patches (its `get_2dalibi`)."""
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    places = torch.stack([row.flatten(), column.flatten()], dim=1).double()
    slopes = 2.0 ** (-8.0 / heads * torch.arange(1, heads + 1))
    return (-slopes.view(-1, 1, 1) * torch.cdist(places, places)).float()[None]
