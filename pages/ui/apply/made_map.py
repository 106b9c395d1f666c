"""The map that a decoder makes of a store: made once by the command line's own `predict`, and kept in the decoder's run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from filelock import FileLock

from engine.errors import RunFailure
from engine.files import make_folder, write_atomic
from engine.learning.result import CARD, TrainRun
from engine.paths import PROJECT
from engine.store.store import EmbeddingStore
from pages.ui.look import errors

_REPORT = "report.json"


@dataclass(frozen=True)
class MadeMap:
    """A map and what `predict` said of it.

    Attributes:
        raster: a GeoTIFF with the task's values and colours.
        geojson, geopackage: its polygons with hectares.
        hectares: of each class that is looked for, by name.
        count: polygons.
        notes: what a person should know of it.
    """

    raster: Path
    geojson: Path
    geopackage: Path
    hectares: dict[str, float]
    count: int
    notes: tuple[str, ...]


def of(run: TrainRun, store: EmbeddingStore) -> MadeMap | None:
    """The map of a store by a decoder; None where it has not been made, or either has changed since."""
    folder = _folder(run, store)
    try:
        made = (folder / _REPORT).stat().st_mtime_ns
        report = json.loads((folder / _REPORT).read_text(encoding="utf-8"))
        is_newer = made >= max(path.stat().st_mtime_ns for path in (run.folder / CARD, store.folder))
    except (OSError, ValueError):
        return None
    return _of_report(folder, report) if is_newer else None


def offer(run: TrainRun, store: EmbeddingStore) -> None:
    """The button that makes the map; it waits where another visitor makes the same one."""
    st.write("The decoder looks at every patch of the store. This takes seconds to a few minutes.")
    if st.button("Make the map", type="primary", key="make_map", icon=":material/map:", width="stretch"):
        with st.spinner("Mapping the store with the decoder.", show_time=True), errors.in_words(stop=False):
            _make(run, store)
            st.rerun()


def _make(run: TrainRun, store: EmbeddingStore) -> None:
    """Run `predict` in a process of its own: the app never loads torch.

    Raises:
        RunFailure: in the words of the command.
    """
    folder = _folder(run, store)
    make_folder(folder)
    with FileLock(folder / "map.lock"):
        if of(run, store) is not None:
            return
        asked = of_folder(folder)
        command = [sys.executable, "-m", "engine", "predict", str(run.folder), str(store.folder), "--out", str(asked[0]),
                   "--polygons", str(asked[1]), str(asked[2]), "--json"]  # fmt: skip
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise RunFailure(
                said[-1] if said else "The map could not be made: the command ended early. Try again."
            )
        write_atomic(folder / _REPORT, lambda temporary: temporary.write_text(done.stdout, encoding="utf-8"))


def of_folder(folder: Path) -> tuple[Path, Path, Path]:
    """Raster, GeoJSON and GeoPackage of a folder of a map."""
    return folder / "map.tif", folder / "map.geojson", folder / "map.gpkg"


def _folder(run: TrainRun, store: EmbeddingStore) -> Path:
    """Below the decoder's run, named by the run that made the store: it goes when the decoder is deleted."""
    return run.folder / "maps" / store.folder.parent.name


def _of_report(folder: Path, report: dict[str, Any]) -> MadeMap | None:
    paths = of_folder(folder)
    if not all(path.is_file() for path in paths):
        return None
    return MadeMap(*paths, dict(report["hectares"]), int(report["count"]), tuple(report["notes"]))
