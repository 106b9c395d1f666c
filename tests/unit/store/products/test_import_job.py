"""An import that was ended goes on where it was, and ends like an undisturbed one; own exports come back by the same job."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.jobs.event_log import append_event
from engine.jobs.events import ExtractDone, TileDone
from engine.jobs.folder import create
from engine.store.importing.forms import opened
from engine.store.importing.job import import_job
from engine.store.importing.settled import config_of
from engine.store.store import UNFINISHED, EmbeddingStore
from tests.unit.store.products.made import alphaearth, unit_vectors


def test_an_import_that_was_ended_goes_on_and_ends_like_an_undisturbed_one(
    tmp_path: Path, monkeypatch: object
) -> None:
    path = alphaearth(tmp_path / "2024" / "18N" / "x.tif", unit_vectors(150, 140))
    with opened(path, None) as found:
        config = config_of(path, found, found.understood, None)
    monkeypatch.setattr("engine.store.importing.job._EVERY_S", 0.0)  # type: ignore[attr-defined]
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    for folder in (whole, halved):
        create(folder, config)
    list(import_job(config, whole))
    done = 0
    job = import_job(config, halved)
    for event in job:
        append_event(halved, event)
        done += isinstance(event, TileDone)
        if done == 4:
            break
    job.close()  # what SIGTERM does to a job  # type: ignore[attr-defined]
    assert (halved / UNFINISHED).is_dir() and not (halved / "store").exists()
    events = list(import_job(config, halved))
    assert isinstance(events[-1], ExtractDone)
    one, other = (EmbeddingStore.open(folder) for folder in (whole, halved))
    assert [tile.id for tile in one.tiles] == [tile.id for tile in other.tiles]
    assert np.array_equal(one.read(0), other.read(0))
