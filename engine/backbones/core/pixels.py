"""What goes in and what comes out: gaps filled after standardising, tokens laid out as maps, layers counted."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.backbones.core.spec import BackboneSpec
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
        pixels: (..., C, H, W), floats or integers as they are stored.
        mean: in the unit of pixels * scale + offset, one a band; `std` likewise.
        valid: (..., H, W) bool.
        scale: one for all bands, or one a band; `offset` likewise.
    """
    kind = pixels.dtype if pixels.is_floating_point() else torch.float32
    means, spread, slope, start = (
        torch.tensor(numbers, dtype=kind, device=pixels.device) for numbers in (mean, std, scale, offset)
    )
    slope = slope / spread
    level = (start - means) / spread
    standard = torch.addcmul(level.view(-1, 1, 1), pixels, slope.view(-1, 1, 1))
    # On the CPU it is cheaper to look first; a GPU would have to be waited for.
    if valid.is_cuda or not valid.all():
        standard.masked_fill_(~valid.unsqueeze(-3), fill)
    return standard


def layer_numbers(spec: BackboneSpec, layers: Sequence[int]) -> list[int]:
    """Layers counted from 0, in the order asked.

    Raises:
        BackboneError: the encoder has no such layer, or none was asked for.
    """
    if not layers:
        raise BackboneError(
            f"No layer of {spec.name} was asked for. Name at least one of its layers 0 to {spec.depth - 1}."
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
