"""Dropout whose chance comes from a generator that is handed in."""

from __future__ import annotations

import torch
from torch import nn


class SeededDropout(nn.Module):
    """Dropout whose chance comes from a generator that is handed in, so that one seed rules the run."""

    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self.share = share
        self.generator = generator

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Zeroes a share of the activations and scales the rest up, in training only."""
        if not self.training or self.share == 0:
            return x
        keep = torch.empty_like(x).bernoulli_(1 - self.share, generator=self.generator)
        return x * keep.div_(1 - self.share)
