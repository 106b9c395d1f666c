"""What goes in and what comes out: gaps filled after standardising, tokens laid out as maps, layers counted."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.backbones.spec import BackboneSpec
from engine.errors import BackboneError


def standardised(
    values: torch.Tensor, mean: Sequence[float], std: Sequence[float], valid: torch.Tensor, fill: float = 0.0
) -> torch.Tensor:
    """(values - mean) / std a band; where a pixel is not valid, or a value is not finite, `fill`.

    Args:
        values: (..., C, H, W) in the unit of `mean`.
        valid: (..., H, W) bool.
    """
    centre = values.new_tensor(mean).view(-1, 1, 1)
    spread = values.new_tensor(std).view(-1, 1, 1)
    standard = (values - centre) / spread
    return torch.where(valid.unsqueeze(-3) & torch.isfinite(standard), standard, fill)


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
