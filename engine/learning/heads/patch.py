"""Linear layers on each patch alone: the MLP, and the linear probe."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from engine.learning.heads.dropout import SeededDropout
from engine.learning.heads.linear import Linear
from engine.learning.heads.sizes import Shape


class PatchHead(nn.Module):
    """Linear layers on each patch alone; without hidden widths it is a linear probe."""

    def __init__(
        self, shape: Shape, hidden: Sequence[int], dropout: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        widths = [shape.dim, *hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [Linear(before, after), nn.ReLU(), SeededDropout(dropout, generator)]
        self.layers = nn.Sequential(*layers, Linear(widths[-1], shape.outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., D) -> (..., outputs)."""
        outputs: torch.Tensor = self.layers(x)
        return outputs
