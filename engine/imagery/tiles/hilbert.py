"""The order in which ground is visited: along a Hilbert curve, so that what lies near is read and kept near."""

from __future__ import annotations

import numpy as np

# Cells of the curve along a side of the world: 2**24 are at most 2.4 m wide.
_LEVEL = 24


def hilbert_order(lonlat: np.ndarray) -> np.ndarray:
    """Places in the order of a Hilbert curve over the whole world: the same for a place whoever else is there.

    Neighbours stay together in both directions: a box of 6 x 6 places out of 60 x 60 meets about half as many
    bundles of 60 consecutive places as in rows from west to east.

    Args:
        lonlat: (n, 2) degrees.

    Returns:
        (n,) indices that sort the places; equal ones keep their order.
    """
    share = (np.asarray(lonlat, np.float64) + np.array([180, 90])) / np.array([360, 180])
    cells = np.clip(share * 2**_LEVEL, 0, 2**_LEVEL - 1).astype(np.int64)
    return np.argsort(hilbert_distance(cells[:, 0], cells[:, 1], _LEVEL), kind="stable")


def hilbert_distance(x: np.ndarray, y: np.ndarray, level: int) -> np.ndarray:
    """How far along the Hilbert curve cells lie that are 2**level a side, (n,) int64.

    From the coarsest quadrant to the finest: the curve enters a quadrant turned, so the cell is turned back
    before the next bit is looked at (Hilbert 1891; the turns as in Hamilton 2006, "Compact Hilbert indices").
    """
    x, y = x.copy(), y.copy()
    distance = np.zeros_like(x)
    for bit in range(level - 1, -1, -1):
        side = np.int64(1) << bit
        right, upper = (x & side) > 0, (y & side) > 0
        distance += side * side * (3 * right ^ upper)
        # Quadrants at the bottom are entered along the other axis, the right one of them also from its far end.
        is_far = ~upper & right
        x[is_far], y[is_far] = 2 * side - 1 - x[is_far], 2 * side - 1 - y[is_far]
        x, y = np.where(upper, x, y) & (side - 1), np.where(upper, y, x) & (side - 1)
    return distance
