"""What has happened in a leaderboard: decoders that were taught, and the table in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LeaderboardPlanned:
    """What a leaderboard will teach.

    Attributes:
        decoders: all that it wants; done: those that an earlier start of the run has left.
        backbones, heads: what stands in its rows.
        places: of each split.
    """

    decoders: int
    done: int
    backbones: list[str]
    heads: list[str]
    places: dict[str, int]


@dataclass(frozen=True)
class DecoderTaught:
    """One decoder of a leaderboard has learned; its scores on the test places are told when all have.

    Attributes:
        done, total: decoders.
        backbone: with its layers and position where rows differ in them.
        what: "row" of the leaderboard, "few labels" or "travel".
        validation: the watched metric on the validation places.
        seconds: of its training; seconds_left: until all are done, estimated.
    """

    done: int
    total: int
    what: str
    backbone: str
    head: str
    seed: int
    validation: float | None
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class LeaderboardDone:
    """The leaderboard is complete.

    Attributes:
        summary: what `leaderboard.json` holds.
    """

    summary: dict[str, Any]


LeaderboardEvent = LeaderboardPlanned | DecoderTaught | LeaderboardDone
