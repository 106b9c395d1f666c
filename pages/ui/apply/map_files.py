"""The files of a map at a threshold, made by the command line's own `map-files` when somebody asks for one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from engine.errors import RunFailure
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
        RunFailure: in the words of the command.
    """
    _, ending, argument = KINDS[kind]
    kept = folder / "files" / f"{asked.threshold:.3f}-{asked.smallest_ha:g}"
    path = kept / f"{kind}{ending}"
    make_folder(folder / "files")
    with FileLock(folder / "files" / ".making.lock"):
        if not path.is_file():
            make_folder(kept)
            _run(["map-files", str(folder), "--threshold", str(asked.threshold), "--smallest-ha", str(asked.smallest_ha),
                  argument, str(path)])  # fmt: skip
            _forget_old(folder / "files")
    return path


def _run(arguments: list[str]) -> None:
    """One command in a process of its own, which takes its memory with it."""
    done = subprocess.run(
        [sys.executable, "-m", "engine", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RunFailure(
            said[-1].removeprefix("error: ") if said else "The file could not be made. Try again."
        )


def _forget_old(folder: Path) -> None:
    found = sorted((one for one in folder.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime_ns)
    for old in found[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
