"""A head that joins several layers, each at its own resolution, after UPerNet (Xiao et al. 2018, figure 4).

The last layer is pooled over grids of several sizes (pyramid pooling, Zhao et al. 2017), so that a patch knows of its
whole tile; from there each layer is added to the one before it; all are joined at the finest resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from engine.learning.heads.cells import grid_to_cells, split_levels
from engine.learning.heads.dropout import SeededDropout
from engine.learning.heads.sizes import Shape

# Grids of the pyramid (Zhao et al. 2017, "Pyramid Scene Parsing Network", section 3.2).
_POOLED = (1, 2, 3, 6)


class FusionHead(nn.Module):
    """Lateral, top-down and fused convolutions over the layers of a tile."""

    def __init__(
        self, shape: Shape, hidden: Sequence[int], dropout: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        width, after = hidden[0], list(hidden[1:] or hidden[:1])
        self.levels, self.finest = shape.levels, shape.finest
        self.lateral = nn.ModuleList(nn.Conv2d(level.dim, width, 1) for level in shape.levels)
        self.pooled = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in _POOLED)
        self.context = _same_size(width * (1 + len(_POOLED)), width)
        self.smooth = nn.ModuleList(_same_size(width, width) for _ in shape.levels)
        layers: list[nn.Module] = []
        for before, next_width in pairwise([width * len(shape.levels), *after]):
            layers += [_same_size(before, next_width), nn.ReLU(), SeededDropout(dropout, generator)]
        outputs = (shape.pixels // shape.finest) ** 2 * shape.values
        self.fused = nn.Sequential(*layers, nn.Conv2d(after[-1], outputs, 1))
        self.pixels = shape.pixels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, h, w, D) -> (B, h, w, outputs)."""
        grids = [
            functional.relu(lateral(grid))
            for lateral, grid in zip(self.lateral, split_levels(x, self.levels), strict=True)
        ]
        grids[-1] = self._with_context(grids[-1])
        for finer, coarser in reversed(list(pairwise(range(len(grids))))):
            grids[finer] = grids[finer] + _resized(grids[coarser], grids[finer].shape[-2:])
        size = (x.shape[1] * self.finest, x.shape[2] * self.finest)
        smoothed = [
            _resized(functional.relu(smooth(grid)), size)
            for smooth, grid in zip(self.smooth, grids, strict=True)
        ]
        fused = self.fused(torch.cat(smoothed, dim=1))  # (B, q * q * values, h * finest, w * finest)
        return self._by_pixel(fused)

    def _with_context(self, grid: torch.Tensor) -> torch.Tensor:
        """The deepest layer and its means over larger and larger parts of the tile."""
        around = [
            _resized(functional.relu(layer(functional.adaptive_avg_pool2d(grid, side))), grid.shape[-2:])
            for layer, side in zip(self.pooled, _POOLED, strict=True)
        ]
        return functional.relu(self.context(torch.cat([grid, *around], dim=1)))

    def _by_pixel(self, fused: torch.Tensor) -> torch.Tensor:
        """Outputs of cells in the order of a patch's pixels: (B, h, w, p * p * values)."""
        cells = self.pixels // self.finest
        spread = cells_of_outputs(fused, cells)  # (B, values, h * p, w * p)
        return grid_to_cells(spread, self.pixels)


def cells_of_outputs(grid: torch.Tensor, cells: int) -> torch.Tensor:
    """The cells * cells * values outputs at each place side by side: (B, values, H * cells, W * cells)."""
    batch, _, height, width = grid.shape
    split = grid.view(batch, cells, cells, -1, height, width)
    return split.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, height * cells, width * cells)


def _same_size(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate")


def _resized(grid: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    if tuple(grid.shape[-2:]) == tuple(size):
        return grid
    return functional.interpolate(grid, size=tuple(size), mode="bilinear", align_corners=False)
