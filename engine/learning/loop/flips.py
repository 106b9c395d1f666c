"""The eight ways to turn and flip a tile: embeddings and labels together, and the pixels inside each patch with it."""

from __future__ import annotations

import torch

from engine.learning.heads.cells import cells_to_grid, grid_to_cells
from engine.learning.heads.sizes import Shape

WAYS = 8
_ROWS, _COLUMNS = -2, -1


def flipped(
    features: torch.Tensor, labels: torch.Tensor, shape: Shape, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each tile of a batch in one of the eight ways, or of those four that keep the shape of an oblong tile.

    Args:
        features, labels: (B, h, w, D) and (B, h, w, L).
        generator: on the CPU.
    """
    ways = torch.randint(WAYS, (len(features),), generator=generator)
    if features.shape[1] != features.shape[2]:
        ways = ways // 2 * 2  # no quarter turns
    turned_features, turned_labels = features.clone(), labels.clone()
    columns = labels.shape[-1] // shape.pixels**2
    for way in ways.unique().tolist():
        chosen = (ways == way).nonzero().flatten().to(features.device)
        turned_features[chosen] = turn_rows(
            features[chosen], [(one.width, one.cells) for one in shape.levels], way
        )
        turned_labels[chosen] = turn_rows(labels[chosen], [(shape.pixels**2 * columns, shape.pixels)], way)
    return turned_features, turned_labels


def turn_rows(rows: torch.Tensor, parts: list[tuple[int, int]], way: int) -> torch.Tensor:
    """Rows (B, h, w, C) of a tile turned one way, and the cells inside each row with it.

    Args:
        parts: widths along C and the cells along a side of a patch of each.
        way: 0 to 7; even: by no or two quarter turns; odd: by one or three; from 4 on mirrored first.
    """
    pieces = rows.split([width for width, _ in parts], dim=-1)
    turned = [
        grid_to_cells(_turn(cells_to_grid(piece, cells), way), cells)
        for piece, (_, cells) in zip(pieces, parts, strict=True)
    ]
    return torch.cat(turned, dim=-1) if len(turned) > 1 else turned[0]


def _turn(grid: torch.Tensor, way: int) -> torch.Tensor:
    """A grid (B, C, H, W) mirrored from 4 on, then turned by way % 4 quarters."""
    mirrored = grid.flip(_COLUMNS) if way >= WAYS // 2 else grid
    return torch.rot90(mirrored, way % 4, (_ROWS, _COLUMNS)).contiguous()
