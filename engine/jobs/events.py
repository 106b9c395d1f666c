"""What has happened: the small facts that a job yields, a log keeps and a panel shows."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, get_args

from engine.jobs.dataset_events import DatasetEvent
from engine.jobs.leaderboard_events import LeaderboardEvent

# The metric that decided in logs whose events do not name one.
_FIRST_WATCH = "iou_burned"


@dataclass(frozen=True)
class Submitted:
    """The folder exists and a process was asked for."""


@dataclass(frozen=True)
class Queued:
    """Other jobs come first on the device.

    Attributes:
        behind: folder name of the one that holds it; empty if unknown, or of another workspace.
    """

    behind: str = ""


@dataclass(frozen=True)
class Started:
    """The process holds the device: its id and start time tell it from a later process of the same id.

    Attributes:
        machine: as `machine_words`; empty in older logs.
    """

    pid: int
    process_start: float
    device: str
    machine: str = ""


@dataclass(frozen=True)
class Finished:
    """The job ended well; `summary` is what --json prints."""

    summary: dict[str, Any]


@dataclass(frozen=True)
class Cancelled:
    """A person, or SIGTERM, ended it; nothing half-written is left."""

    message: str = ""


@dataclass(frozen=True)
class Failed:
    """It could not go on; `message` is for a person, the traceback is in the log."""

    message: str
    kind: str = ""


@dataclass(frozen=True)
class StepStarted:
    """A named step of the job, in the words that a panel shows ("Loading backbone")."""

    step: str


@dataclass(frozen=True)
class Noticed:
    """Something that a person should know and that does not stop the job."""

    message: str


@dataclass(frozen=True)
class ExtractPlanned:
    """What the extraction will do, known before the first tile.

    Attributes:
        megapixels: what the encoder will see: overlaps, shifted passes and dates counted; 0 in older logs.
    """

    tiles: int
    patches: int
    resumed_tiles: int
    backbone: str
    weights: str
    device: str
    megapixels: float = 0.0


@dataclass(frozen=True)
class TileDone:
    """Tiles done so far, of how many; patches so far; seconds since the first tile was begun."""

    done: int
    total: int
    patches: int
    seconds: float
    tile_id: str


@dataclass(frozen=True)
class TileSkipped:
    """A tile without a valid pixel, or one that could not be read and was to be skipped."""

    tile_id: str
    reason: str


@dataclass(frozen=True)
class ExtractDone:
    """The store is complete.

    Attributes:
        seam: mean step between embeddings across the borders of tiles over that inside them, the largest of all layers;
            None where tiles have no neighbours.
        seams: layer -> the same.
    """

    tiles: int
    patches: int
    dim: int
    seconds: float
    store: str
    seam: float | None = None
    seams: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainPlanned:
    """What the training will do.

    Attributes:
        places, pixels: places and labels (of pixels, or of tiles) of each split.
        classes: labels of each class by its title, by split; empty in older logs and where numbers are learned.
        tiles: tiles of each split; empty in older logs.
    """

    epochs: int
    places: dict[str, int]
    pixels: dict[str, int]
    parameters: int
    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    tiles: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class EpochDone:
    """One pass over the training tiles.

    Attributes:
        train, validation: metrics by name; both hold "loss", a mean over labelled pixels.
        watch: the validation metric that decides which epoch is best.
        learning_rate: step size at the epoch's end; 0 in older logs and for heads without gradient.
        patches_per_second: of the training steps; 0 in older logs.
        seconds_left: at most, until the last epoch; an earlier stop ends sooner.
    """

    epoch: int
    epochs: int
    train: dict[str, float]
    validation: dict[str, float]
    watch: str
    is_best: bool
    seconds: float
    learning_rate: float = 0.0
    patches_per_second: int = 0
    seconds_left: float = 0.0


@dataclass(frozen=True)
class MapTileDone:
    """Tiles of one map that the decoder has looked at, of how many; seconds since the first was begun."""

    done: int
    total: int
    seconds: float


@dataclass(frozen=True)
class ApplyDone:
    """The maps are complete.

    Attributes:
        maps: folders of the maps, from the run folder.
        hectares: of each class at the default threshold, by name, over all maps.
    """

    maps: list[str]
    hectares: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class FetchDone:
    """Weights, or rasters of a catalogue, are here: paths of what was fetched, and in how many seconds."""

    files: list[str]
    seconds: float


@dataclass(frozen=True)
class MeasureStep:
    """A step of a measurement or a download, and how much of it is done, of how much; 0 of 0 where that is not known."""

    step: str
    done: int
    total: int


@dataclass(frozen=True)
class MeasureDone:
    """A measurement is kept beside the store.

    Attributes:
        measure: its title in words.
        found: numbers of it, by what they are of.
    """

    measure: str
    found: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class TestDone:
    """The test split was scored, once.

    Attributes:
        scores: metrics by name, and what belongs to them (intervals, counts, the baseline's scores).
        watch: the metric that a list shows; logs that do not name it are of burn scars.
    """

    scores: dict[str, Any]
    watch: str = _FIRST_WATCH


Event = (
    Submitted
    | Queued
    | Started
    | Finished
    | Cancelled
    | Failed
    | StepStarted
    | Noticed
    | ExtractPlanned
    | TileDone
    | TileSkipped
    | ExtractDone
    | TrainPlanned
    | EpochDone
    | MapTileDone
    | ApplyDone
    | FetchDone
    | MeasureStep
    | MeasureDone
    | LeaderboardEvent
    | DatasetEvent
    | TestDone
)
KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}


def to_line(event: Event, at: float) -> str:
    """One line of events.jsonl: {"at": unix seconds, "event": name, ...fields}."""
    return json.dumps({"at": round(at, 3), "event": type(event).__name__, **dataclasses.asdict(event)})


def from_line(line: str) -> tuple[float, Event] | None:
    """The event of a line, or None for an incomplete or unknown one (a reader may see half a line)."""
    try:
        record = json.loads(line)
        kind = KINDS[record.pop("event")]
        if kind is EpochDone and "watch" not in record:
            record = _with_metrics(record)
        return float(record.pop("at")), kind(**record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _with_metrics(record: dict[str, Any]) -> dict[str, Any]:
    """An epoch of an earlier log, whose metrics were fields such as `train_loss` and `validation_iou_burned`."""
    found: dict[str, Any] = {"train": {}, "validation": {}, "watch": _FIRST_WATCH}
    for key, value in record.items():
        split, _, metric = key.partition("_")
        if split in ("train", "validation"):
            found[split][metric] = value
        else:
            found[key] = value
    return found
