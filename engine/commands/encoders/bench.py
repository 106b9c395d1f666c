"""The command that tells what this machine will do."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from engine.commands.printer import say
from engine.workspace import runs_root


def bench(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    """Measure backbones, print a line each, and keep the figures for the estimate."""
    from engine.backbones.core.device import choose
    from engine.extraction.cost.bench import measure, names_of
    from engine.extraction.cost.measured_speed import record
    from engine.jobs.record import idle_device

    names = names_of(chosen.names, chosen.all)
    root = runs_root()
    measured = []
    with idle_device(choose(chosen.device).name):
        say(
            f"The encoder alone on tiles ready in memory, random weights (speed is the same); {len(names)} backbone(s)."
        )
        for speed in measure(names, chosen.device):
            measured.append(speed)
            file = record([speed], root)
            line = f"{speed.backbone:36} {speed.tiles_per_s:>9.2f} tiles/s of {speed.chip_px} px"
            (say if chosen.json else print)(
                f"{line}  {speed.title} ({speed.device}), {speed.precision}, random weights"
            )
    if measured:
        say(f"Written to {file}: estimates before a run use it until a run has measured more.")
    return [asdict(speed) for speed in measured] if chosen.json else None
