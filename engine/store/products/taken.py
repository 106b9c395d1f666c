"""What is taken of a file into a store, whatever its form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.store.products.understood import Understood
from engine.store.schema import TileRows


@dataclass(frozen=True)
class Taken:
    """A file that was understood and is open for reading.

    Attributes:
        granularity, patch_px: as a store has them.
        tiles: the rows of the tiles in the order of the store.
        own: what the file says of the store that it was written from, by the fields of `StoreMeta`; empty for others' files.
        most_tiles: how many there may be; 0 where that is not known.
        in_place: what a reader must know to read the same rows again from the file; empty where it can only be converted.
    """

    understood: Understood
    granularity: Literal["patch", "tile"]
    patch_px: int
    tiles: Callable[[], Iterator[TileRows]]
    own: Mapping[str, Any] = field(default_factory=dict)
    most_tiles: int = 0
    in_place: Mapping[str, Any] = field(default_factory=dict)
