"""The commands that ask catalogues: which there are, what a search finds, and a chosen region for use without a network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.commands.imagery.cut import CutConfig, config_of
from engine.commands.printer import say
from engine.errors import BadInput
from engine.imagery.remote import cache
from engine.imagery.remote.access import wants
from engine.imagery.sources import StacScene
from engine.workspace import workspace_folder


def search(chosen: argparse.Namespace) -> Any:
    """What a catalogue has over a region, day by day, and which days the configuration takes."""
    if chosen.list:
        if chosen.config:
            raise BadInput(
                f"--list asks no catalogue, and {chosen.config} is not read. Leave one of the two out."
            )
        return _listed()
    if not chosen.config:
        raise BadInput("No configuration is named. Give one with a scene of source: stac, or --list.")
    from engine.imagery.catalogues.choosing import days_of

    scene = _stac(config_of(Path(chosen.config), chosen.set), chosen.config)
    days = days_of(scene.found(), scene.region)
    taken, notes = scene.chosen(days)
    for day in days:
        cloud = "cloud unknown" if day.cloud_pct is None else f"{day.cloud_pct:.0f} % cloud"
        mark = "*" if day in taken else " "
        say(f"{mark} {day.day}  {cloud:>13}  {100 * day.share:.0f} % covered  {len(day.items)} item(s)")
    for note in notes:
        say(note)
    return [
        {"day": str(day.day), "cloud_pct": day.cloud_pct, "covered": round(day.share, 4), "is_taken": day in taken,
         "items": [item.id for item in day.items]}
        for day in days
    ]  # fmt: skip


def offline(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the scenes of a catalogue into a folder, from which they are read without a network."""
    from engine.imagery.catalogues.manifest import read_manifest
    from engine.imagery.catalogues.offline import write_offline

    scene = _stac(config_of(Path(chosen.config), chosen.set), chosen.config)
    root, out = workspace_folder(chosen.workspace), Path(chosen.out)
    for step in scene.prepare(root):
        say(step)
    written = []
    for one in write_offline(scene.place(root), out):
        say(f"{one.done} of {one.total}: {one.file}")
        written.append(one)
    size = sum(one.bytes for one in written)
    say(f"Wrote {len(written)} raster(s), {size / 1e6:,.1f} MB. Set scene.folder: {out} to read them.")
    scenes = len(read_manifest(out).scenes)
    return {"out": str(out), "scenes": scenes, "rasters": len(written), "bytes": size}


def _listed() -> list[dict[str, Any]]:
    from engine.imagery.catalogues.presets import catalogues

    held = cache.usage()
    found = []
    for one in catalogues().values():
        say(f"{one.name}: {one.title}, {one.address}")
        for collection in one.collections:
            needs = wants(collection.access)
            say(f"    {collection.id}: {collection.title}{'; wants ' + needs if needs else ''}")
            found.append({"catalogue": one.name, "collection": collection.id, "title": collection.title,
                          "access": collection.access, "needs": needs, "bands": list(collection.bands.values())})  # fmt: skip
    say(
        f"Cache: {held.used_bytes / 1e9:.2f} of {held.limit_bytes / 1e9:.1f} GB, {held.rasters} raster(s), {cache.cache_folder()}"
    )
    return found


def _stac(config: CutConfig, where: str) -> StacScene:
    if not isinstance(config.scene, StacScene):
        raise BadInput(
            f"{where} has a scene of source: {config.scene.source}, which is no catalogue. Set source: stac."
        )
    return config.scene
