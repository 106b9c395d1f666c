"""How a TerraTorch file was read, in lines for a terminal."""

from __future__ import annotations

from engine.terratorch.generation import Translation


def in_lines(found: Translation) -> list[str]:
    """One line a key in the order of the reading, then the warnings."""
    widest = max((len(line.verdict) for line in found.lines), default=0)
    keys = [f"{line.verdict:{widest}}  {line.key} ({line.found}): {line.words}" for line in found.lines]
    return ["Reading a TerraTorch file, key by key.", *keys, *(f"warning: {text}" for text in found.warnings)]
