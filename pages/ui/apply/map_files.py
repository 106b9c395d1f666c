"""The files of a map at a threshold, made by the command line's own `map-files` when somebody asks for one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from engine.errors import BadInput, RunFailure
from engine.files import make_folder
from engine.learning.maps.facts import FACTS, MapFacts
from engine.paths import PROJECT
from pages.ui.state.downloads import Asked, offer

# Label, ending, and the argument of the command that asks for it.
KINDS: Mapping[str, tuple[str, str, str]] = {
    "classes": ("GeoTIFF of classes", ".tif", "--classes"),
    "probability": ("GeoTIFF of probability", ".tif", "--probability"),
    "gpkg": ("Polygons, GeoPackage", ".gpkg", "--polygons"),
    "geojson": ("Polygons, GeoJSON", ".geojson", "--polygons"),
    "parquet": ("Polygons, GeoParquet", ".parquet", "--polygons"),
    "png": ("Picture with legend", ".png", "--png"),
}
# Thresholds whose files are kept; older ones are made again when they are asked for.
_KEPT = 12


def address(folder: Path, facts: MapFacts, kind: str, smallest_ha: float) -> str:
    """Address of a file of a map; THRESHOLD in it stands for a number such as 0.50."""
    made = (folder / FACTS).stat().st_mtime_ns
    ending = KINDS[kind][1]
    name = f"{facts.title} {kind}{ending}" if kind in ("classes", "probability") else f"{facts.title}{ending}"
    base = offer(f"{folder} {made} {kind}", name, lambda asked: _made(folder, kind, asked))
    return f"{base}?threshold=THRESHOLD&smallest={smallest_ha:g}"


def _made(folder: Path, kind: str, asked: Asked) -> Path:
    """The file, made once for each threshold and smallest area.

    Raises:
        BadInput: there are no polygons to write.
        RunFailure: in the words of the command.
    """
    _, ending, argument = KINDS[kind]
    kept = folder / "files" / f"{asked.threshold:.3f}-{asked.smallest_ha:g}"
    path = kept / f"{kind}{ending}"
    make_folder(folder / "files")
    with FileLock(folder / "files" / ".making.lock"):
        if not path.is_file():
            make_folder(kept)
            told = _run(["map-files", str(folder), "--threshold", str(asked.threshold), "--smallest-ha", str(asked.smallest_ha),
                         argument, str(path), "--json"])  # fmt: skip
            if told.get("count") == 0:
                path.unlink(missing_ok=True)
                raise BadInput(_no_polygons(asked))
            _forget_old(folder / "files")
    return path


def _no_polygons(asked: Asked) -> str:
    """Why there is nothing to take home, and what to change."""
    size = f" of {asked.smallest_ha:g} ha or more" if asked.smallest_ha else ""
    change = (
        "Lower the threshold, or the smallest polygon above it."
        if asked.smallest_ha
        else "Lower the threshold."
    )
    return f"No polygon{size} lies above the threshold {asked.threshold:.2f}, so there is no file. {change}"


def _run(arguments: list[str]) -> dict[str, Any]:
    """What one command says in the end, in a process of its own, which takes its memory with it."""
    done = subprocess.run(
        [sys.executable, "-m", "engine", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RunFailure(
            said[-1].removeprefix("error: ") if said else "The file could not be made. Try again."
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _forget_old(folder: Path) -> None:
    found = sorted((one for one in folder.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime_ns)
    for old in found[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
