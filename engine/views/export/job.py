"""An export as a job: its steps are told, it can be cancelled, and what it wrote lies in its run folder."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from engine.concurrency.steps import in_thread
from engine.files import slug
from engine.jobs.configuration.export import ExportConfig
from engine.jobs.events import Event, MeasureDone, MeasureStep, Noticed
from engine.store.store import FINISHED, EmbeddingStore
from engine.views.export.forms import FORMS, Exported, Probe, export

# Below the run folder.
FILES = "files"
# How long a cancelled export waits for the step that is being written, before its files are removed all the same.
_LAST_STEP_S = 20.0


class _CancelledError(Exception):
    """The job was told to end."""


def export_job(config: ExportConfig, folder: Path, root: Path, probe: Probe | None = None) -> Iterator[Event]:
    """Write a store in a form, into `files/` of the run folder.

    Args:
        root: the workspace; relative paths of stores lie in it.
        probe: measures what smaller numbers cost on labels.

    Yields:
        MeasureStep, Noticed for what a person should know, and MeasureDone at the end.

    Raises:
        StoreError, BadInput, DiskFull: as `export`.
    """
    began, path = time.monotonic(), Path(config.store)
    store = EmbeddingStore.open(path if path.is_absolute() or path.exists() else root / path)
    form, place, is_cancelled, has_ended = (
        FORMS[config.format],
        folder / FILES,
        threading.Event(),
        threading.Event(),
    )
    shutil.rmtree(place, ignore_errors=True)

    def work(tell: object) -> Exported:
        def hear(step: str, done: int, total: int) -> None:
            if is_cancelled.is_set():
                raise _CancelledError
            tell(MeasureStep(step, done, total))  # type: ignore[operator]

        try:
            out = place / f"{file_name(store, config)}{form.ending}"
            return export(store, config.layer, out, config.format, config.dtype, hear, probe)
        finally:
            has_ended.set()

    yield MeasureStep("Opening the store", 0, 0)
    try:
        found = yield from in_thread(work)
    except BaseException:
        is_cancelled.set()
        has_ended.wait(_LAST_STEP_S)
        shutil.rmtree(place, ignore_errors=True)
        raise
    for note in (*found.notes, *([found.loss.sentence()] if found.loss else [])):
        yield Noticed(note)
    megabytes = round(sum(one.stat().st_size for one in place.rglob("*") if one.is_file()) / 1e6, 3)
    yield MeasureDone(f"{form.title} written", {"MB": megabytes}, round(time.monotonic() - began, 1))


def file_name(store: EmbeddingStore, config: ExportConfig) -> str:
    """A name that tells the run, the layer and the type, and warns of simulated ground and random weights."""
    run = store.folder.parent.name if store.folder.name == FINISHED else store.folder.name
    parts = [
        run,
        *([] if config.layer is None else [f"layer-{config.layer}"]),
        *([config.dtype] if config.dtype else []),
    ]
    parts += ["SIMULATED"] if store.meta.is_simulated else []
    parts += ["RANDOM-WEIGHTS"] if store.meta.is_random else []
    return slug("-".join(parts), "._-", most=120).strip("-.")
