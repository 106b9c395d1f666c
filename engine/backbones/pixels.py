"""What goes in and what comes out: gaps filled after standardising, tokens laid out as maps, layers counted."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.backbones.spec import BackboneSpec
from engine.errors import BackboneError


def standardised(
    pixels: torch.Tensor,
    mean: Sequence[float],
    std: Sequence[float],
    valid: torch.Tensor,
    scale: float | Sequence[float] = 1.0,
    offset: float | Sequence[float] = 0.0,
    fill: float = 0.0,
) -> torch.Tensor:
    """(pixels * scale + offset - mean) / std a band; `fill` where a pixel is not valid.

    One multiplication and one addition a pixel: for the smallest encoders each pass over the image counts.

    Args:
        pixels: (..., C, H, W).
        mean: in the unit of pixels * scale + offset, one a band; `std` likewise.
        valid: (..., H, W) bool.
        scale: one for all bands, or one a band; `offset` likewise.
    """
    spread = pixels.new_tensor(std)
    slope = pixels.new_tensor(scale) / spread
    level = (pixels.new_tensor(offset) - pixels.new_tensor(mean)) / spread
    standard = torch.addcmul(level.view(-1, 1, 1), pixels, slope.view(-1, 1, 1))
    return standard.masked_fill_(~valid.unsqueeze(-3), fill)


def layer_numbers(spec: BackboneSpec, layers: Sequence[int]) -> list[int]:
    """Layers counted from 0, in the order asked.

    Raises:
        BackboneError: the encoder has no such layer, or none was asked for.
    """
    if not layers:
        raise BackboneError(
            f"at least one layer of {spec.name} was wanted, found none. Name layers 0 to {spec.depth - 1}."
        )
    try:
        return [spec.layer_index(layer) for layer in layers]
    except IndexError as err:
        raise BackboneError(
            f"{spec.name} has layers 0 to {spec.depth - 1} (or -{spec.depth} to -1); {err} was asked for. "
            f"Choose among them."
        ) from err


def as_map(tokens: torch.Tensor, prefix: int, grid: tuple[int, int]) -> torch.Tensor:
    """(B, prefix + h*w, D) tokens as (B, h, w, D) float32, class and register tokens off."""
    return tokens[:, prefix:].reshape(len(tokens), *grid, tokens.shape[-1]).float()
