"""What the colours of a layer mean: the part of its row in the map's list of layers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """Colours from low to high, as CSS writes them, and the words at both ends."""

    colours: tuple[str, ...]
    low: str
    high: str


@dataclass(frozen=True)
class Legend:
    """Swatches, a bar, and a sentence below them.

    Attributes:
        swatches: (CSS colour, words).
    """

    swatches: tuple[tuple[str, str], ...] = ()
    bar: Bar | None = None
    note: str = ""

    def for_map(self) -> dict[str, object]:
        """As the list of layers in the browser reads it."""
        made: dict[str, object] = {"swatches": [list(swatch) for swatch in self.swatches], "note": self.note}
        if self.bar is not None:
            made["bar"] = {"colours": list(self.bar.colours), "low": self.bar.low, "high": self.bar.high}
        return made


NO_LEGEND = Legend()
