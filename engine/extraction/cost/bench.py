"""Tiles per second of each backbone on this machine, with random weights: speed does not depend on what was learned."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psutil
import torch

from engine.backbones.build import build
from engine.backbones.cards import CARDS, card
from engine.backbones.core.batch import Batch, take
from engine.backbones.core.device import Device, OnDevice, Pending, choose
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError
from engine.extraction.batches import passes_at_once
from engine.extraction.cost.measured_speed import Pace, pace_of, record, this_machine
from engine.extraction.workers.parallel_passes import parallel_passes
from engine.jobs.machine import is_cpu
from engine.jobs.record import idle_device

# A measurement lasts at least so long after its warm-up, and at least so many passes; one that nobody has asked for,
# made while a process waits for a job, is shorter.
_SECONDS, _SHORT_S, _PASSES = 2.0, 0.3, 2
# Tiles in work at once, as in an extraction, as long as a pass stays below a second.
_BATCH_CPU, _BATCH_GPU = 8, 64
_PASS_S = 1.0
# A larger encoder takes longer to build than a short measurement may: about 0.3 s for so many weights.
_MOST_SHORT_WEIGHTS = 120_000_000
# Weights in float32, once more while they are drawn, and room for the pass.
_BYTES_A_WEIGHT = 12


def names_of(asked: Sequence[str], everything: bool) -> tuple[str, ...]:
    """The backbones to measure: those asked for, all that fit in memory, or those whose weights are embedded.

    Raises:
        BackboneError: an unknown name, or one that has no encoder to measure.
    """
    if asked:
        for name in asked:
            if card(name).weights.kind == "none":
                raise BackboneError(f"{name} has no encoder to measure. Leave it out.")
        return tuple(asked)
    encoders = [spec for spec in CARDS.values() if spec.weights.kind != "none"]
    if everything:
        return tuple(spec.name for spec in encoders if fits(spec))
    return tuple(spec.name for spec in encoders if spec.weights.kind == "package")


def fits(spec: BackboneSpec) -> bool:
    """Whether the encoder's weights fit in the memory that is free now."""
    return spec.parameters * _BYTES_A_WEIGHT < psutil.virtual_memory().available


def measure_shortly(name: str, device: str, root: Path) -> None:
    """Measure a backbone on this machine's processor in half a second and keep the figure, where there is none yet.

    A large one is left to `bench`, and so is a GPU: a process that only waits must not hold its memory.

    Raises:
        BackboneError: an unknown backbone, or a device that is not here.
        JobError: a job is on the device.
    """
    spec = card(name)
    is_small = spec.parameters <= _MOST_SHORT_WEIGHTS and fits(spec)
    has_encoder = spec.weights.kind != "none"
    if not (has_encoder and is_small and is_cpu(device)) or pace_of(name, device, root) is not None:
        return
    with idle_device(choose(device).name):
        record(measure([name], device, is_short=True), root)


def measure(names: Sequence[str], device: str, is_short: bool = False) -> Iterator[Pace]:
    """Measure one backbone after the other on a device; a few seconds each.

    Raises:
        BackboneError: an unknown backbone, or a device that is not here.
    """
    where = choose(device)
    for name in names:
        spec = card(name)
        backbone = build(spec, "random", where, bands=spec.bands)
        batch = _batch(backbone.spec, where)
        count, tile_s = _timed(backbone, batch, _SHORT_S if is_short else _SECONDS)
        yield Pace(
            backbone=name,
            asked=device,
            device=where.name,
            precision=str(backbone.device.precision).removeprefix("torch."),
            title=where.title,
            chip_px=spec.chip_px,
            batch=count,
            tiles_per_s=round(1 / tile_s, 3),
            machine=this_machine(),
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        del backbone


def _timed(backbone: OnDevice, batch: Batch, seconds: float) -> tuple[int, float]:
    """Tiles of a pass, and seconds a tile, with passes side by side as an extraction has them."""
    layers = backbone.spec.default_layers
    backbone.embed(take(batch, 0, 1), layers)  # the first pass also sets up kernels and caches
    began = time.perf_counter()
    backbone.embed(take(batch, 0, 1), layers)
    one_s = time.perf_counter() - began
    if one_s >= seconds:  # one pass on all cores is the measurement
        return 1, one_s
    count = max(1, min(batch.image.shape[0], int(min(_PASS_S, seconds / 2) / one_s)))
    part, at_once = take(batch, 0, count), passes_at_once(backbone.device)
    done, began, ended = 0, time.perf_counter(), 0.0

    def tiles() -> Generator[tuple[None, Batch | None]]:
        while ended < seconds or done < _PASSES * at_once:
            yield None, part

    def begin(given: Batch) -> list[Pending]:
        return [backbone.begin(given, layers)]

    with closing(parallel_passes(tiles(), begin, backbone, backbone.device)) as passes:
        for _, (waiting,) in passes:
            waiting.result()
            done += 1
            ended = time.perf_counter() - began
    return count, ended / (done * count)


def _batch(spec: BackboneSpec, where: Device) -> Batch:
    """Chips of the card's size, all valid, at a place and a date."""
    count = max(1, _BATCH_CPU // passes_at_once(where)) if where.name == "cpu" else _BATCH_GPU
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(count, 1, len(spec.bands), spec.chip_px, spec.chip_px, generator=generator) * 0.4
    known = len(spec.wavelengths_um) == len(spec.bands)
    return Batch(
        image=image,
        valid=torch.ones(count, 1, spec.chip_px, spec.chip_px, dtype=torch.bool),
        bands=spec.bands,
        wavelengths_um=spec.wavelengths_um if known else (0.6,) * len(spec.bands),
        gsd_m=spec.gsd_m or 30.0,
        datetimes=[[datetime(2020, 7, 1, tzinfo=UTC)]] * count,
        lonlat=torch.zeros(count, 2),
    )
