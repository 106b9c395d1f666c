"""What has happened while a data set was made."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DatasetPlanned:
    """Fires of the file, and how many of them an earlier start of the run has done."""

    fires: int
    done: int


@dataclass(frozen=True)
class FireDone:
    """Fires done so far, of how many; chips so far.

    Attributes:
        fire: the one that was done last.
        seconds: since the first fire of this start was begun; seconds_left: estimated, 0 where nothing is known.
    """

    done: int
    total: int
    fire: str
    chips: int
    seconds: float
    seconds_left: float = 0.0


@dataclass(frozen=True)
class DatasetDone:
    """The data set is complete.

    Attributes:
        dataset: its folder.
        splits: chips of each.
        not_had: fires and rows of which there are no chips, or fewer.
        burnt_share: of the known pixels.
    """

    dataset: str
    chips: int
    fires: int
    splits: dict[str, int]
    not_had: list[dict[str, str]]
    burnt_share: float
    seconds: float
    notes: list[str] = field(default_factory=list)


DatasetEvent = DatasetPlanned | FireDone | DatasetDone
