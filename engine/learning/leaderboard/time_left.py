"""How long the decoders that are left will take, from those that have been taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.learning.leaderboard.cells import Cell
from engine.learning.leaderboard.results import Result


def seconds_left(cells: Sequence[Cell], results: Mapping[Cell, Result], workers: int) -> float:
    """Seconds until all are taught.

    Args:
        results: those that are; one or more.
        workers: decoders that learn at once.
    """
    missing = [cell for cell in cells if cell not in results]
    return sum(_expected(cell, results) for cell in missing) / max(1, min(workers, len(missing)))


def _expected(cell: Cell, results: Mapping[Cell, Result]) -> float:
    """The mean of the decoders that are most like it: of its head and share, of its head, or of all."""
    like = [(one.head, one.share, one.what) for one in results]
    for wanted in (
        (cell.head, cell.share, cell.what),
        (cell.head, None, None),
        (None, None, None),
    ):
        known = [
            result.seconds
            for told, result in zip(like, results.values(), strict=True)
            if all(asked is None or asked == own for asked, own in zip(wanted, told, strict=True))
        ]
        if known:
            return sum(known) / len(known)
    return 0.0
