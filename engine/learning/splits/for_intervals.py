"""A division with enough test places that a difference gets an interval."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import ConfigError
from engine.jobs.configuration.config import SplitConfig
from engine.learning.splits.split import split_tiles
from engine.store.schema import StoredTile

# With fewer, an interval over places says little.
_LEAST_TEST_PLACES = 5
_TEST = 0.4


def division_for_intervals(tiles: Sequence[StoredTile]) -> SplitConfig:
    """The division that the data bring, or where that leaves few places for the test, one by place with two fifths for it."""
    usual = SplitConfig()
    try:
        if split_tiles(tiles, usual, 0).places_of("test") >= _LEAST_TEST_PLACES:
            return usual
    except ConfigError:
        return usual
    return SplitConfig(by="place", test=_TEST)
