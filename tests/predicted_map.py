"""A map of classes at the usual threshold, as `python -m engine predict` writes it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.learning.keeping.result import TrainRun
from engine.learning.maps.apply import map_store
from engine.learning.maps.facts import PROBABILITY, read_map
from engine.store.store import EmbeddingStore
from engine.views.maps.probability_map import write_classes
from engine.workspace import runs_root


@dataclass(frozen=True)
class PredictedMap:
    """A map that was written, and what a person should know of it."""

    path: Path
    notes: tuple[str, ...]


def predict_map(run_folder: Path, store_folder: Path, out: Path, root: Path | None = None) -> PredictedMap:
    """The map of a store by a trained run."""
    run, store = TrainRun.open(run_folder), EmbeddingStore.open(store_folder)
    with tempfile.TemporaryDirectory() as held:
        for _ in map_store([run], store, Path(held), root or runs_root()):
            pass
        facts = read_map(Path(held))
        style = facts.style
        write_classes(Path(held) / PROBABILITY, out, style, style.default_threshold)
    return PredictedMap(out, facts.notes)
