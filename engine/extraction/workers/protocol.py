"""Who reads and encodes: threads of this process, or a cluster. The one who writes sees no difference."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from engine.extraction.pixels.tile_reader import TileRead
from engine.imagery.tiles.windows import PlannedTile
from engine.store.schema import TileRows

Encoded = tuple[list[TileRead], Callable[[], list[TileRows]]]
"""The tiles of a batch (their pixels are gone), and a call that gives the rows of those that had any."""


@dataclass(frozen=True)
class Workers:
    """Readers and encoders, ready.

    Attributes:
        title: where they are and what they compute in, for a log or a panel.
        batch_pixels: pixels of a batch, where the configuration leaves its size open.
        encoded: takes batches of tiles; yields each of them once, encoded, in the order given.
    """

    weights_sha256: str
    title: str
    batch_pixels: int
    encoded: Callable[[Sequence[list[PlannedTile]]], Generator[Encoded]]
