"""What an extraction will cost, before it starts: tiles, ground, megabytes, and minutes from earlier runs here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.backbones import cards
from engine.backbones.core.cpu_flags import has_bfloat16
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError
from engine.extraction.cost.earlier_runs import beside_of_runs, seconds_from_runs, start_of_runs
from engine.extraction.cost.measured_speed import pace_of
from engine.extraction.plan import Plan, make_plan
from engine.extraction.store_layout import dims_of
from engine.jobs.configuration.config import ExtractConfig
from engine.jobs.machine import is_cpu
from engine.workspace import runs_root

# Bytes besides the embeddings: keys, outline and box of a row in zstd, a tile's line in the footer, and what a
# store of one tile has besides. Fitted to synthetic stores of 4 to 5,000 tiles at 30 m; good to about a third.
_ROW_BYTES, _TILE_BYTES, _STORE_BYTES = 51, 240, 7000
# Multiplications and additions a second of one CPU core in float32: a tiny Prithvi (5.7 million weights,
# 196 tokens a tile, two operations a weight and token) ran 45.8 tiles/s on two cores: 51e9 a core.
_CORE_OPERATIONS_S = 50e9
# Of a transformer on one that multiplies bfloat16 in hardware: base and large ones of Prithvi, TerraMind, DINOv3, DOFA and
# Clay ran 140e9 to 250e9 a core.
_CORE_BFLOAT16_S = 190e9
# A CNN uses its early weights on more places than its last map has: EfficientNet-B4 at 380 px takes 4.2e9
# multiply-adds (Tan and Le 2019), 1.8 times its weights on the places of its last map.
_CNN_FACTOR = 1.8
# Seconds of one core for a megapixel compared with patches of the scenes: 13.9 tiles of 256 pixels a second on two cores.
_DRAWN_CORE_S = 2.2
# What a run takes beside its tiles, on two idle cores: with a checkpoint to load (and for each of its weights, built,
# hashed and read), and without one.
_LOADING_S, _WEIGHT_S, _BEGINNING_S = 1.0, 1e-8, 0.6
# What a process takes to start, to import and to end, on two idle cores.
_START_S = 4.0
_WITHOUT_CHECKPOINT = ("none", "scenes")


@dataclass(frozen=True)
class Estimate:
    """The cost of an extraction.

    Attributes:
        area_km2: ground under the tiles, each counted whole.
        megabytes: of the store, 10^6 bytes.
        minutes: None where there is no ground for a guess (a GPU or a cluster that nothing has measured yet).
        minutes_source: "measured on this machine" (by an earlier run), "bench" (by `python -m engine bench`),
            "rough guess", or "unknown".
        runs: earlier ones that the minutes are from, of all workspaces.
    """

    tiles: int
    patches: int
    area_km2: float
    megabytes: float
    minutes: float | None
    minutes_source: str
    runs: int = 0


def estimate(config: ExtractConfig, root: Path | None = None, process_waits: bool = False) -> Estimate:
    """Estimate an extraction without torch and without reading a pixel.

    Args:
        root: where runs are kept; None: the usual place. Finished runs of the same backbone give the speed.
        process_waits: whether a process that has imported everything takes the job, as in the app; otherwise the start of
            one counts, as on the command line.

    Raises:
        BadInput: a configuration that cannot be run, as the extraction itself would say.
    """
    home = root or runs_root()
    plan = make_plan(config, home)
    seconds, source, runs = _seconds(plan, home)
    start_s = 0.0 if process_waits else start_of_runs(home) or _START_S
    return Estimate(
        tiles=len(plan.tiles),
        patches=plan.patches,
        area_km2=plan.area_km2,
        megabytes=_megabytes(plan),
        minutes=None if seconds is None else (start_s + seconds) / 60,
        minutes_source=source,
        runs=runs,
    )


def _seconds(plan: Plan, root: Path) -> tuple[float | None, str, int]:
    """Of the run once its process has imported, from the best source there is; the source; from how many runs."""
    beside_s = _beside(plan.spec, root)
    measured = seconds_from_runs(plan, root, beside_s)
    if measured is not None:
        return measured[0], "measured on this machine", measured[1]
    if plan.engine != "local":
        return None, "unknown", 0
    benched = pace_of(plan.spec.name, plan.device, root)
    if benched is not None:
        return benched.seconds_a_megapixel * plan.seen_megapixels + beside_s, "bench", 0
    if not is_cpu(plan.device):
        return None, "unknown", 0
    return _guess(plan) + beside_s, "rough guess", 0


def _megabytes(plan: Plan) -> float:
    """Size of the store, 10^6 bytes."""
    rows = len(plan.tiles) if plan.has_row_a_tile else plan.patches
    embedding_bytes = _embedding_bytes(plan)
    beside = len(plan.tiles) * _TILE_BYTES + _STORE_BYTES
    return (rows * (embedding_bytes + _ROW_BYTES) + beside) / 1e6


def _embedding_bytes(plan: Plan) -> int:
    """Bytes of one row's embeddings."""
    return sum(dims_of(plan)) * np.dtype(plan.dtype).itemsize


def _guess(plan: Plan) -> float:
    """Seconds by the encoder's weights and the places that each is used on; for CPUs only."""
    if plan.spec.weights.kind == "scenes":
        return _DRAWN_CORE_S * plan.seen_megapixels / (os.cpu_count() or 1)
    operations = _operations_a_pixel(plan.spec) * plan.seen_megapixels * 1e6
    is_fast = has_bfloat16() and not plan.spec.layer_strides  # CNNs stay in float32
    return operations / ((_CORE_BFLOAT16_S if is_fast else _CORE_OPERATIONS_S) * (os.cpu_count() or 1))


def _beside(spec: BackboneSpec, root: Path) -> float:
    """Seconds beside the tiles, as runs of backbones with a checkpoint, or of those without, have told."""
    loads = _loads(spec.name)
    found = beside_of_runs(root, lambda name: _loads(name) == loads)
    return found or (_LOADING_S + _WEIGHT_S * spec.parameters if loads else _BEGINNING_S)


def _loads(name: str) -> bool:
    """Whether a backbone has a checkpoint; one that is no longer known counts as such."""
    try:
        return cards.card(name).weights.kind not in _WITHOUT_CHECKPOINT
    except BackboneError:
        return True


def _operations_a_pixel(spec: BackboneSpec) -> float:
    if spec.layer_strides:
        return 2 * spec.parameters * _CNN_FACTOR / max(spec.layer_strides) ** 2
    return 2 * spec.parameters / max(spec.patch_px, 1) ** 2
