"""The heads that read frozen embeddings: linear, MLP (a patch alone) and convolution (a patch and its neighbours).

A head gives each patch as many outputs as the task asks for, such as one for each of its p x p pixels, so that a map
and its scores are per pixel whatever the encoder's patch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from engine.jobs.config import HeadConfig


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


class PatchHead(nn.Module):
    """Linear layers on each patch alone; without hidden widths it is a linear probe."""

    def __init__(
        self, dim: int, outputs: int, hidden: Sequence[int], dropout: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        widths = [dim, *hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU(), SeededDropout(dropout, generator)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., D) -> (..., outputs)."""
        logits: torch.Tensor = self.layers(x)
        return logits


class ConvHead(nn.Module):
    """3 x 3 convolutions over the patches of a tile: each hidden layer lets a patch see one ring more."""

    def __init__(
        self, dim: int, outputs: int, hidden: Sequence[int], dropout: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        widths = [dim, *hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate"),
                nn.ReLU(),
                SeededDropout(dropout, generator),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], outputs, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, h, w, D) -> (B, h, w, outputs)."""
        maps: torch.Tensor = self.layers(x.permute(0, 3, 1, 2))  # (B, outputs, h, w)
        return maps.permute(0, 2, 3, 1)


class Decoder(nn.Module):
    """Standardisation by the training tiles' statistics, then a head.

    Attributes:
        mean, std: (D,) of the training tiles' embeddings, kept in the decoder's file.
        sees_neighbours: the head wants whole tiles (B, h, w, D), not single patches.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, head: nn.Module, mean: torch.Tensor, std: torch.Tensor) -> None:
        super().__init__()
        self.head = head
        self.register_buffer("mean", mean.float())
        self.register_buffer("std", std.float())

    @property
    def sees_neighbours(self) -> bool:
        """Whether batches must be whole tiles."""
        return isinstance(self.head, ConvHead)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        """(..., D) of any float type -> (..., outputs) float32."""
        logits: torch.Tensor = self.head((embeddings.float() - self.mean) / self.std)
        return logits


def build_decoder(
    config: HeadConfig,
    mean: torch.Tensor,
    std: torch.Tensor,
    outputs: int,
    generator: torch.Generator,
    device: torch.device,
) -> Decoder:
    """A decoder with fresh weights on the device.

    Args:
        mean, std: (D,) of the training tiles.
        outputs: of each patch, as `Task.outputs` says.
        generator: on the CPU; weights come from it, so that they are the same on every device.
    """
    chance = torch.Generator(device=device)
    chance.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    dim = len(mean)
    match config.name:
        case "linear":
            head: nn.Module = PatchHead(dim, outputs, (), 0.0, chance)
        case "mlp":
            head = PatchHead(dim, outputs, config.hidden, config.dropout, chance)
        case "conv":
            head = ConvHead(dim, outputs, config.hidden, config.dropout, chance)
    for module in head.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            # He et al. 2015, for units that pass half of their input; biases start at zero.
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return Decoder(head, mean, std).to(device)
