"""How a TerraTorch file was read, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from engine.terratorch.keys import KeyRead


def in_lines(read: Sequence[KeyRead], warnings: Sequence[str]) -> list[str]:
    """One line a key in the order of the reading, then the warnings."""
    widest = max((len(line.verdict) for line in read), default=0)
    keys = [f"{line.verdict:{widest}}  {line.key} ({line.found}): {line.words}" for line in read]
    return ["Reading a TerraTorch file, key by key.", *keys, *(f"warning: {text}" for text in warnings)]
