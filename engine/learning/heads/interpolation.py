"""From one output a patch to one a pixel, bilinear between the centres of the patches."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from engine.learning.heads.cells import cells_to_grid, grid_to_cells


class Interpolated(nn.Module):
    """Outputs of the cells of patches, interpolated to all pixels.

    Attributes:
        cells, pixels: along a side of a patch, before and after.
    """

    def __init__(self, cells: int, pixels: int) -> None:
        super().__init__()
        self.cells, self.pixels = cells, pixels

    def forward(self, outputs: torch.Tensor) -> torch.Tensor:
        """(B, h, w, cells * cells * values) -> (B, h, w, pixels * pixels * values)."""
        grid = cells_to_grid(outputs, self.cells)
        size = tuple(side // self.cells * self.pixels for side in grid.shape[-2:])
        spread = functional.interpolate(grid, size=size, mode="bilinear", align_corners=False)
        return grid_to_cells(spread, self.pixels)
