"""Measurements of a store as a job: its UMAP, and how far a shift by one pixel moves its embeddings."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path

from engine.extraction.shift_sensitivity import shift_steps
from engine.jobs.configuration.measure import MeasureConfig, ShiftConfig, UmapConfig
from engine.jobs.events import Event, MeasureDone, MeasureStep
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import DatedView, dated
from engine.views.health.kept import measured, with_shift
from engine.views.layer_view import view_of
from engine.views.umap_layout import UmapLayout, kept_layout, make_layout


def measure(config: MeasureConfig, root: Path) -> Iterator[Event]:
    """Measure a store and keep the result beside it.

    Args:
        root: the workspace; relative paths of stores lie in it.

    Yields:
        MeasureStep, and MeasureDone at the end.

    Raises:
        StoreError, BadInput: as `make_layout` and `shift_steps`.
    """
    began = time.monotonic()
    path = Path(config.store)
    store = EmbeddingStore.open(path if path.is_absolute() or path.exists() else root / path)
    match config.what:
        case UmapConfig() as asked:
            view = dated(view_of(store, asked.layer, asked.window, asked.position), asked.date)
            layout = yield from lay_out(view, asked)
            found = {"patches": float(len(layout.rows))}
        case ShiftConfig(device=device):
            found = yield from _shifts(store, root, device)
    yield MeasureDone(config.title, found, round(time.monotonic() - began, 1))


def lay_out(view: DatedView, asked: UmapConfig) -> Generator[Event, None, UmapLayout]:
    """The layout that is kept, or a new one."""
    kept = kept_layout(view, asked)
    if kept is not None:
        return kept
    return (yield from make_layout(view, asked))


def _shifts(store: EmbeddingStore, root: Path, device: str) -> Generator[Event, None, dict[str, float]]:
    """Measure what a shift does, and write it into the card of the store."""
    yield MeasureStep("Reading the whole store", 0, 0)
    card = measured(store, root)
    shifts = yield from shift_steps(store, root, device)
    with_shift(store, card, shifts)
    return {f"layer {layer}": value for layer, value in shifts.items()}
