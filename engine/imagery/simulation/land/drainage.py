"""Valleys that branch as water cuts them: hills in balance between uplift and stream incision.

A stream in balance falls by S = k A**-theta, where A is the area that drains through it (Flint 1974; theta is near
0.5 on real rivers). The height of a place is then the least sum of such falls over any way down to an outlet, which
is a shortest-path problem; its ways are the streams. Areas and heights are made to agree by a few rounds.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

CONCAVITY = 0.5
HILLSLOPE_CELLS = 10  # slopes that drain less than this are shaped by creep, not by streams
ROUNDS = 3
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


@lru_cache(maxsize=4)
def links(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sources, targets, lengths in cells and directions (counter-clockwise from east) of the links of a square grid.

    Cells are numbered row by row; each is linked with its eight neighbours.
    """
    number = np.arange(size * size).reshape(size, size)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
    for down, right in NEIGHBOURS:
        rows = slice(max(0, -down), size - max(0, down))
        columns = slice(max(0, -right), size - max(0, right))
        here = number[rows, columns].ravel()
        length = np.full(here.size, np.hypot(down, right))
        angle = np.full(here.size, np.arctan2(-down, right))
        parts.append((here, here + down * size + right, length, angle))
    sources, targets, lengths, angles = (np.concatenate(column) for column in zip(*parts, strict=True))
    return sources, targets, lengths, angles


def carve(hardness: np.ndarray, outlets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights and drainage of a square of ground.

    Args:
        hardness: (H, H) positive; ground of higher values stands steeper.
        outlets: numbers of the cells, row by row, where water leaves.

    Returns:
        Heights (H, H) in arbitrary units, 0 at the outlets; area (H, H) in cells that drains through each.
    """
    size = len(hardness)
    sources, targets, lengths, _ = links(size)
    hard = hardness.ravel()
    area = np.ones(size * size)
    height = np.zeros(size * size)
    for _ in range(ROUNDS):
        fall = hard * (area + HILLSLOPE_CELLS) ** -CONCAVITY
        graph = csr_array((lengths * fall[targets], (sources, targets)), shape=(hard.size, hard.size))
        height, downstream, _ = dijkstra(graph, indices=outlets, min_only=True, return_predecessors=True)
        area = _gather(height, downstream)
    return height.reshape(size, size), area.reshape(size, size)


def _gather(height: np.ndarray, downstream: np.ndarray) -> np.ndarray:
    """Cells that drain through each cell, itself among them; `downstream` is negative at outlets."""
    below = downstream.tolist()
    area = [1.0] * len(below)
    for cell in np.argsort(-height, kind="stable").tolist():
        if below[cell] >= 0:
            area[below[cell]] += area[cell]
    return np.array(area)
