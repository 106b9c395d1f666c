"""What finished extractions of this machine tell of the time that another one will take.

A run takes what its process needs to start and to import, unless one waits that has done so; what lies beside its tiles
(weights, closing the store); what its first batch takes more than others (kernels are set up, nothing is read ahead yet);
and then the same for each megapixel that the encoder sees.
"""

from __future__ import annotations

import functools
import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ConfigError, StoreError
from engine.extraction.plan import Plan
from engine.extraction.step_words import FETCHING, IMPORTING, PLANNING
from engine.jobs.configuration.config import ExtractConfig, parse_config, read_yaml
from engine.jobs.event_log import EVENTS, read_events
from engine.jobs.events import (
    Event,
    ExtractDone,
    ExtractPlanned,
    Finished,
    Queued,
    Started,
    StepStarted,
    Submitted,
    TileDone,
)
from engine.jobs.folder import CONFIG
from engine.jobs.machine import is_cpu, machine_words
from engine.jobs.parent import read_parent
from engine.paths import modified
from engine.store.store import EmbeddingStore
from engine.workspace import shared_root, workspaces

# A shorter run tells of its first batch rather than of its speed.
_LEAST_TILES = 4
_NEWEST_LOGS = 100
# The nearest in size decide: a mean over them forgives one that ran beside other work.
_MOST_RUNS = 5
# Of the tiles of a run, at least this share has to come after the first batch to tell the speed without it.
_LEAST_SHARE_AFTER = 0.3
# A process that was there for so long before its job was asked for had waited for one.
_BEFORE_S = 1.0

Timed = Sequence[tuple[float, Event]]


@dataclass(frozen=True)
class Measured:
    """One finished run.

    Attributes:
        megapixels: that the encoder saw.
        pace_s: seconds a megapixel, the first batch left out where there are others.
        first_s: what the first batch took besides that.
        beside_s: seconds before its first tile and after its last one, from its plan on, without importing and fetching;
            None of a log that does not tell imports apart.
        start_s: from the start of a process made for it to its plan, and what it imported later; None where a process
            that had imported everything took it.
    """

    config: ExtractConfig
    machine: str
    megapixels: float
    pace_s: float
    first_s: float
    beside_s: float | None
    start_s: float | None


def seconds_from_runs(plan: Plan, root: Path, beside_s: float) -> tuple[float, int] | None:
    """Seconds of an extraction, and from how many earlier runs; None where none fits.

    Args:
        beside_s: what it takes beside its tiles, where none of the runs tells.

    Without the start of its process.
    """
    fitting = [run for run in runs_of(root) if _fits(run, plan)]
    alike = [run for run in fitting if _is_alike(run, plan)] or fitting
    nearest = sorted(alike, key=lambda run: abs(math.log(run.megapixels / plan.seen_megapixels)))[:_MOST_RUNS]
    if not nearest:
        return None
    pace_s, first_s = (
        statistics.median(values)
        for values in zip(*((run.pace_s, run.first_s) for run in nearest), strict=True)
    )
    told = [run.beside_s for run in alike if run.beside_s is not None]
    return pace_s * plan.seen_megapixels + first_s + (statistics.median(told) if told else beside_s), len(
        nearest
    )


def beside_of_runs(root: Path, is_alike: Callable[[str], bool]) -> float | None:
    """Seconds that runs of such backbones on this machine took beside their tiles; None where there are none."""
    found = [
        run.beside_s
        for run in runs_of(root)
        if run.beside_s is not None
        and run.machine in ("", machine_words())
        and is_alike(run.config.backbone.name)
    ]
    return statistics.median(found) if found else None


def start_of_runs(root: Path) -> float | None:
    """Seconds that a process took to start and to import on this machine; None where no run tells."""
    found = [
        run.start_s
        for run in runs_of(root)
        if run.start_s is not None and run.machine in ("", machine_words())
    ]
    return statistics.median(found) if found else None


def runs_of(root: Path) -> list[Measured]:
    """The newest finished extractions of a workspace and of those that share its machine; nobody is named."""
    folders = workspaces() if shared_root(root) in workspaces() else [root]
    logs = [log for folder in folders for log in folder.glob(f"*/{EVENTS}")]
    newest = sorted(logs, key=modified, reverse=True)[:_NEWEST_LOGS]
    found = (_measured(log.parent, modified(log), modified(log.parent / CONFIG)) for log in newest)
    return [run for run in found if run is not None]


def _fits(run: Measured, plan: Plan) -> bool:
    """Whether a run had the same backbone, device and machine; older logs do not name their machine."""
    is_same_device = run.config.device == plan.device or (is_cpu(run.config.device) and is_cpu(plan.device))
    return (
        run.config.backbone.name == plan.spec.name
        and run.config.engine == plan.engine
        and is_same_device
        and run.machine in ("", machine_words())
    )


def _is_alike(run: Measured, plan: Plan) -> bool:
    """Whether a run cut its tiles as the plan does: attention over a larger tile takes longer for each pixel."""
    tiles, wanted = run.config.tiles.model_dump(), plan.config["tiles"]
    is_same_source = run.config.scene.source == plan.config["scene"]["source"]
    return is_same_source and all(tiles[key] == wanted.get(key) for key in ("size_px", "merge", "stride_px"))


@functools.lru_cache(maxsize=512)
def _measured(folder: Path, log_modified: float, config_modified: float) -> Measured | None:
    """What a run folder tells; None of one that is not a whole, undisturbed extraction."""
    del log_modified, config_modified  # keys of the cache
    try:
        config = parse_config(read_yaml(folder / CONFIG))
    except ConfigError:
        return None  # of an older version, or changed by hand
    timed = read_events(folder)
    events = [event for _, event in timed]
    planned = [event for event in events if isinstance(event, ExtractPlanned)]
    done = [event for event in events if isinstance(event, ExtractDone)]
    started = [event for event in events if isinstance(event, Started)]
    if not isinstance(config, ExtractConfig) or len(planned) != 1 or not done or len(started) != 1:
        return None
    if planned[0].resumed_tiles or done[-1].tiles < _LEAST_TILES or done[-1].seconds <= 0:
        return None
    megapixels = planned[0].megapixels * done[-1].tiles / max(planned[0].tiles, 1) or _megapixels(
        folder, done[-1]
    )
    if megapixels <= 0:
        return None
    pace_s, first_s = _pace(events, done[-1], megapixels)
    beside_s = _beside(timed, done[-1])
    start_s = None if beside_s is None or read_parent(folder) else _start(timed)
    return Measured(config, started[0].machine, megapixels, pace_s, first_s, beside_s, start_s)


def _pace(events: Sequence[Event], done: ExtractDone, megapixels: float) -> tuple[float, float]:
    """Seconds a megapixel, and what the first batch took besides."""
    told = [event for event in events if isinstance(event, TileDone)]
    first = [event for event in told if event.seconds < told[0].seconds + 0.05] if told else []
    after = len(told) - len(first)
    if not first or after < _LEAST_SHARE_AFTER * len(told) or done.seconds <= first[-1].seconds:
        return done.seconds / megapixels, 0.0
    tile_s = (done.seconds - first[-1].seconds) / after
    pace_s = tile_s * len(told) / megapixels
    return pace_s, max(0.0, done.seconds - pace_s * megapixels)


def _beside(timed: Timed, done: ExtractDone) -> float | None:
    """Seconds from the plan to the last word, without the tiles and without what is not repeated."""
    imports, begun = _seconds_of(timed, IMPORTING), _planned(timed)
    if imports is None or begun is None:
        return None
    ended = next((at for at, event in reversed(timed) if isinstance(event, Finished)), timed[-1][0])
    return max(0.0, ended - begun - done.seconds - imports - (_seconds_of(timed, FETCHING) or 0.0))


def _start(timed: Timed) -> float | None:
    """Seconds of the process before the plan and of its imports; None where the process was there before the job."""
    process = next(event.process_start for _, event in timed if isinstance(event, Started))
    asked = next((at for at, event in timed if isinstance(event, Submitted)), process)
    begun = _planned(timed)
    waited = any(isinstance(event, Queued) for _, event in timed)
    first_step = next((at for at, event in timed if isinstance(event, StepStarted)), begun)
    if begun is None or waited or first_step != begun or asked - process > _BEFORE_S:
        return None
    return max(0.0, begun - process + (_seconds_of(timed, IMPORTING) or 0.0))


def _planned(timed: Timed) -> float | None:
    """When the plan was begun."""
    return next(
        (at for at, event in timed if isinstance(event, StepStarted) and event.step == PLANNING), None
    )


def _seconds_of(timed: Timed, word: str) -> float | None:
    """What steps that begin with a word took; None where there are none."""
    steps = [(at, event) for at, event in timed if isinstance(event, StepStarted | ExtractPlanned)]
    spans = [
        ended - begun
        for (begun, event), (ended, _) in itertools.pairwise(steps)
        if isinstance(event, StepStarted) and event.step.startswith(word)
    ]
    return sum(spans) if spans else None


def _megapixels(folder: Path, done: ExtractDone) -> float:
    """Pixels of a finished run's tiles, dates counted, from its store; for logs that do not say."""
    try:
        tiles = EmbeddingStore.open(Path(done.store) if Path(done.store).is_dir() else folder).tiles
    except StoreError:
        return 0.0
    return sum(tile.height_px * tile.width_px * len(tile.datetimes) for tile in tiles) / 1e6
