"""Cells inside the patches of a tile as one grid, and the way back."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.learning.heads.sizes import Level


def cells_to_grid(rows: torch.Tensor, cells: int) -> torch.Tensor:
    """Cells of patches as one grid: (B, h, w, cells * cells * D) -> (B, D, h * cells, w * cells)."""
    batch, h, w, _ = rows.shape
    split = rows.view(batch, h, w, cells, cells, -1)  # (B, h, w, row, column, D)
    return split.permute(0, 5, 1, 3, 2, 4).reshape(batch, -1, h * cells, w * cells)


def grid_to_cells(grid: torch.Tensor, cells: int) -> torch.Tensor:
    """A grid as the cells of patches: (B, D, h * cells, w * cells) -> (B, h, w, cells * cells * D)."""
    batch, dim, height, width = grid.shape
    split = grid.view(batch, dim, height // cells, cells, width // cells, cells)
    return split.permute(0, 2, 4, 3, 5, 1).reshape(batch, height // cells, width // cells, -1)


def split_levels(rows: torch.Tensor, levels: Sequence[Level]) -> list[torch.Tensor]:
    """The layers of rows (B, h, w, D), each as the grid of its cells (B, d, h * cells, w * cells)."""
    parts = rows.split([level.width for level in levels], dim=-1)
    return [cells_to_grid(part, level.cells) for part, level in zip(parts, levels, strict=True)]
