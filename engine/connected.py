"""What hangs together: members that pairs connect, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def connected(number: int, pairs: np.ndarray) -> np.ndarray:
    """(number,) group of each member, counted from 0 in the order of their first members.

    Args:
        pairs: (2, N) members that are connected.
    """
    from scipy.sparse import coo_array  # only where something is grouped
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(number, number))
    found: np.ndarray = connected_components(links, directed=False)[1]
    return found


def gathered(items: Sequence[T], groups: Iterable[int]) -> list[list[T]]:
    """The items of each group, in their order; groups in the order of their first items."""
    found: dict[int, list[T]] = {}
    for item, group in zip(items, groups, strict=True):
        found.setdefault(int(group), []).append(item)
    return list(found.values())
