"""The command that lists known fires, and writes the search of a catalogue before and after one."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Any

import yaml

from engine.datasets.named_fires import NAMED_FIRES, NamedFire, named_fire

_DAYS_AROUND = 45


def fires(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    """List known fires; of a named one, the scene of a configuration that shows it before and after."""
    listed = [named_fire(chosen.name)] if chosen.name else list(NAMED_FIRES)
    if chosen.json:
        return [{**vars(one), "scene": scene_of(one)} for one in listed]
    if chosen.name:
        print(yaml.safe_dump({"scene": scene_of(listed[0])}, sort_keys=False), end="")
        return None
    for one in listed:
        print(f"{one.name:16} {one.start} to {one.end}  {one.title}, {one.country}  {one.source}: {one.page}")
    return None


def scene_of(fire: NamedFire) -> dict[str, Any]:
    """A scene of source: stac with the days around a fire, as YAML holds it."""
    around = dt.timedelta(days=_DAYS_AROUND)
    return {
        "source": "stac", "catalogue": "earth-search", "collection": "sentinel-2-l2a", "bounds_lonlat": list(fire.bounds_lonlat),
        "dates": [fire.start - around, fire.end + around], "choose": "after", "fire_date": fire.end,
    }  # fmt: skip
