"""How fast each backbone runs on this machine, as `python -m engine bench` measured it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.files import read_json, write_atomic
from engine.workspace import shared_root

_FILE = "bench.json"


@dataclass(frozen=True)
class Pace:
    """One measurement: the encoder alone, random weights, tiles of its own size ready in memory.

    Attributes:
        asked, device: the device as it was asked for, and the one that was found ("auto", "cuda:0").
        precision: of products, as torch names it.
        title: the device as a person calls it.
        batch: tiles of one pass.
        machine: name and cores; figures of another machine say nothing here.
        at: when, ISO 8601.
    """

    backbone: str
    asked: str
    device: str
    precision: str
    title: str
    chip_px: int
    batch: int
    tiles_per_s: float
    machine: str
    at: str

    @property
    def seconds_a_megapixel(self) -> float:
        """Time of 10^6 pixels of all bands."""
        return 1e6 / (self.tiles_per_s * self.chip_px**2)


def this_machine() -> str:
    """What tells this machine from another that sees the same folder."""
    return f"{platform.node()}, {os.cpu_count() or 1} cores"


def record(paces: Iterable[Pace], root: Path) -> Path:
    """Keep measurements for all workspaces; newer ones of the same backbone, device and machine replace older ones."""
    kept = {_key(pace): pace for pace in (*read(root), *paces)}
    text = json.dumps([asdict(pace) for pace in kept.values()], indent=1)
    file = shared_root(root) / _FILE
    write_atomic(file, lambda path: path.write_text(text, encoding="utf-8"))
    return file


def read(root: Path) -> tuple[Pace, ...]:
    """All measurements kept; a file that is not ours holds none."""
    try:
        return tuple(Pace(**entry) for entry in read_json(shared_root(root) / _FILE))
    except FileNotFoundError:
        return ()
    except (ValueError, TypeError):
        return ()  # of another version, or changed by hand: the next bench writes it anew


def pace_of(backbone: str, device: str, root: Path) -> Pace | None:
    """The measurement of a backbone on the device that a configuration asks for, on this machine."""
    found = [
        pace
        for pace in read(root)
        if pace.backbone == backbone and pace.machine == this_machine() and device in _names(pace)
    ]
    return found[-1] if found else None


def _names(pace: Pace) -> set[str]:
    """What configurations call the device: as asked, as found, and without a number for the first."""
    return {pace.asked, pace.device, pace.device.removesuffix(":0")}


def _key(pace: Pace) -> tuple[str, str, str]:
    return pace.backbone, pace.device, pace.machine
