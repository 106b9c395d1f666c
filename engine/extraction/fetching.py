"""What is brought to this machine as a job: weights of backbones, or the scenes of a catalogue."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from engine.extraction.weights.fetching import fetch_backbones
from engine.imagery.catalogues.offline import write_offline
from engine.imagery.sources import StacScene
from engine.jobs.configuration.fetch import FetchConfig
from engine.jobs.events import Event, FetchDone, MeasureStep, StepStarted


def fetch(config: FetchConfig, root: Path) -> Generator[Event]:
    """Fetch what is asked for.

    Args:
        root: the workspace; scenes are kept once for all workspaces.

    Yields:
        As `fetch_backbones`; for scenes StepStarted, MeasureStep a raster and FetchDone.

    Raises:
        EngineError: what cannot be had; what came is kept, and the next try goes on from there.
    """
    return fetch_backbones(config.names) if config.scene is None else _fetch_scenes(config.scene, root)


def _fetch_scenes(scene: StacScene, root: Path) -> Generator[Event]:
    began = time.monotonic()
    for step in scene.prepare(root):
        yield StepStarted(step)
    out, names = scene.offline_folder(root), list[str]()
    with closing(write_offline(scene.place(root), out)) as written:
        for one in written:
            names.append(str(out / one.file))
            yield MeasureStep("Rasters", one.done, one.total)
    yield FetchDone(names, round(time.monotonic() - began, 1))
