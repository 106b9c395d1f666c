"""What an extraction will cost, before it starts: tiles, ground, megabytes, and minutes from earlier runs here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.backbones.core.spec import BackboneSpec
from engine.errors import ConfigError
from engine.extraction.cost.measured_speed import pace_of
from engine.extraction.plan import Plan, make_plan
from engine.extraction.store_layout import dims_of
from engine.jobs.config import ExtractConfig, parse_config, read_yaml
from engine.jobs.event_log import read_events
from engine.jobs.events import ExtractDone, ExtractPlanned
from engine.jobs.folder import CONFIG
from engine.store.store import EmbeddingStore
from engine.workspace import runs_root

# Bytes besides the embeddings: keys, outline and box of a row in zstd, a tile's line in the footer, and what a
# store of one tile has besides. Fitted to synthetic stores of 4 to 5,000 tiles at 30 m; good to about a third.
_ROW_BYTES, _TILE_BYTES, _STORE_BYTES = 51, 240, 7000
# Multiplications and additions a second of one CPU core in float32: a tiny Prithvi (5.7 million weights,
# 196 tokens a tile, two operations a weight and token) ran 45.8 tiles/s on two cores: 51e9 a core.
_CORE_OPERATIONS_S = 50e9
# A CNN uses its early weights on more places than its last map has: EfficientNet-B4 at 380 px takes 4.2e9
# multiply-adds (Tan and Le 2019), 1.8 times its weights on the places of its last map.
_CNN_FACTOR = 1.8
_LOADING_S = 8.0
# A shorter run tells of its first batch rather than of its speed.
_LEAST_TILES = 4
_NEWEST_RUNS = 40


@dataclass(frozen=True)
class Estimate:
    """The cost of an extraction.

    Attributes:
        area_km2: ground under the tiles, each counted whole.
        megabytes: of the store, 10^6 bytes.
        minutes: None where there is no ground for a guess (a GPU or a cluster that nothing has measured yet).
        minutes_source: "measured on this machine" (by an earlier run), "bench" (by `python -m engine bench`),
            "rough guess", or "unknown".
    """

    tiles: int
    patches: int
    area_km2: float
    megabytes: float
    minutes: float | None
    minutes_source: str


def estimate(config: ExtractConfig, root: Path | None = None) -> Estimate:
    """Estimate an extraction without torch and without reading a pixel.

    Args:
        root: where runs are kept; None: the usual place. Finished runs of the same backbone give the speed.

    Raises:
        BadInput: a configuration that cannot be run, as the extraction itself would say.
    """
    home = root or runs_root()
    plan = make_plan(config, home)
    seconds, source = _seconds(plan, home)
    return Estimate(
        tiles=len(plan.tiles),
        patches=plan.patches,
        area_km2=plan.area_km2,
        megabytes=_megabytes(plan),
        minutes=None if seconds is None else seconds / 60,
        minutes_source=source,
    )


def _seconds(plan: Plan, root: Path) -> tuple[float | None, str]:
    """Of the run, from the best source there is, and the source."""
    pace_s = _measured_pace_s(plan, root)
    if pace_s is not None:
        return pace_s * plan.seen_megapixels + _LOADING_S, "measured on this machine"
    if plan.engine != "local":
        return None, "unknown"
    benched = pace_of(plan.spec.name, plan.device, root)
    if benched is not None:
        return benched.seconds_a_megapixel * plan.seen_megapixels + _LOADING_S, "bench"
    return _guess(plan)


def _megabytes(plan: Plan) -> float:
    """Size of the store, 10^6 bytes."""
    rows = len(plan.tiles) if plan.has_row_a_tile else plan.patches
    embedding_bytes = _embedding_bytes(plan)
    beside = len(plan.tiles) * _TILE_BYTES + _STORE_BYTES
    return (rows * (embedding_bytes + _ROW_BYTES) + beside) / 1e6


def _embedding_bytes(plan: Plan) -> int:
    """Bytes of one row's embeddings."""
    return sum(dims_of(plan)) * np.dtype(plan.dtype).itemsize


def _measured_pace_s(plan: Plan, root: Path) -> float | None:
    """Seconds a megapixel of the newest finished run with this backbone and device, or None."""
    logs = sorted(root.glob("*/events.jsonl"), key=lambda log: log.stat().st_mtime, reverse=True)
    for log in logs[:_NEWEST_RUNS]:
        pace_s = _pace_of_run(log.parent, plan)
        if pace_s is not None:
            return pace_s
    return None


def _pace_of_run(folder: Path, plan: Plan) -> float | None:
    try:
        earlier = parse_config(read_yaml(folder / CONFIG))
    except ConfigError:
        return None  # a run of an older version, or one changed by hand, tells nothing
    if not isinstance(earlier, ExtractConfig) or earlier.backbone.name != plan.spec.name:
        return None
    if (earlier.device, earlier.engine) != (plan.device, plan.engine):
        return None
    events = [event for _, event in read_events(folder)]
    planned = [event for event in events if isinstance(event, ExtractPlanned)]
    done = [event for event in events if isinstance(event, ExtractDone)]
    if len(planned) != 1 or not done or planned[0].resumed_tiles or done[-1].tiles < _LEAST_TILES:
        return None
    seen = planned[0].megapixels * done[-1].tiles / max(planned[0].tiles, 1)
    return done[-1].seconds / (seen or _run_megapixels(folder, done[-1]))


def _run_megapixels(folder: Path, done: ExtractDone) -> float:
    """Pixels of a finished run's tiles, dates counted, from its store; for logs that do not say."""
    tiles = EmbeddingStore.open(Path(done.store) if Path(done.store).is_dir() else folder).tiles
    return sum(tile.height_px * tile.width_px * len(tile.datetimes) for tile in tiles) / 1e6


def _guess(plan: Plan) -> tuple[float | None, str]:
    """Seconds by the encoder's weights and the places that each is used on; for CPUs only."""
    if plan.device not in ("auto", "cpu"):
        return None, "unknown"
    operations = _operations_a_pixel(plan.spec) * plan.seen_megapixels * 1e6
    return operations / (_CORE_OPERATIONS_S * (os.cpu_count() or 1)) + _LOADING_S, "rough guess"


def _operations_a_pixel(spec: BackboneSpec) -> float:
    if spec.layer_strides:
        return 2 * spec.parameters * _CNN_FACTOR / max(spec.layer_strides) ** 2
    return 2 * spec.parameters / max(spec.patch_px, 1) ** 2
