"""A decoder: standardisation by the training tiles' statistics, a head, and the way from patches to pixels."""

from __future__ import annotations

import torch
from torch import nn


class Decoder(nn.Module):
    """Standardisation, then a head, then interpolation and a scale where they are asked for.

    Attributes:
        mean, std: (D,) of the training tiles' embeddings, kept in the decoder's file.
        sees_neighbours: it wants whole tiles (B, h, w, D), not single patches.
        chance: of its dropout, so that a run that goes on draws what an undisturbed one draws.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self,
        head: nn.Module,
        mean: torch.Tensor,
        std: torch.Tensor,
        sees_neighbours: bool,
        chance: torch.Generator,
        spread: nn.Module | None = None,
        scale: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.head, self.spread, self.scale = head, spread, scale
        self.sees_neighbours, self.chance = sees_neighbours, chance
        self.register_buffer("mean", mean.float())
        self.register_buffer("std", std.float())

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """(..., D) of any float type -> (..., outputs) float32."""
        # The difference is new, so that it can be divided where it lies.
        outputs: torch.Tensor = self.head((embeddings.float() - self.mean).div_(self.std)).float()
        if self.spread is not None:
            outputs = self.spread(outputs)
        return outputs if self.scale is None else self.scale(outputs)


class Scale(nn.Module):
    """Outputs in the unit of the labels: the head itself learns numbers around 0 with a deviation of 1."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, outputs: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        return outputs * self.std + self.mean
