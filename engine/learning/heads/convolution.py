"""3 x 3 convolutions over the patches of a tile (a fully convolutional head, FCN)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from engine.learning.heads.dropout import SeededDropout
from engine.learning.heads.sizes import Shape


class ConvHead(nn.Module):
    """3 x 3 convolutions over the patches of a tile: each hidden layer lets a patch see one ring more."""

    def __init__(
        self, shape: Shape, hidden: Sequence[int], dropout: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        widths = [shape.dim, *hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate"),
                nn.ReLU(),
                SeededDropout(dropout, generator),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], shape.outputs, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, h, w, D) -> (B, h, w, outputs)."""
        maps: torch.Tensor = self.layers(x.permute(0, 3, 1, 2))  # (B, outputs, h, w)
        return maps.permute(0, 2, 3, 1)
