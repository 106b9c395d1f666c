"""What smaller numbers cost where labels exist: a linear probe on the embeddings themselves, and on what a reader gets back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import BadInput
from engine.jobs.configuration.config import LabelsConfig
from engine.learning.probe import probe
from engine.learning.tasks.table import BURN_SCARS
from engine.store.store import EmbeddingStore

RoundTrip = Callable[[np.ndarray], np.ndarray]
# Rows that are looked at, evenly spread: the probe learns from 5,000 of them.
_MOST_ROWS = 20_000


def probe_of(root: Path) -> Callable[[EmbeddingStore, int, RoundTrip], dict[str, Any]]:
    """`probe_change` in a workspace."""
    return lambda store, layer, round_trip: probe_change(store, layer, round_trip, root)


def probe_change(store: EmbeddingStore, layer: int, round_trip: RoundTrip, root: Path) -> dict[str, Any]:
    """Mean IoU of both methods of the probe before and after, on the labels of the scenes; else why it was not measured.

    Args:
        round_trip: (n, D) embeddings to (n, D) as they are read back.
        root: where the extraction keeps what it made itself.
    """
    if store.cells > 1:
        return {
            "not_measured": "The loss on labels was not measured: the layer is finer than the rows that labels are read for."
        }
    numbers, rows = _spread(store)
    exact = _embeddings(store, layer, numbers, rows)
    usable = np.isfinite(exact).all(axis=1)
    numbers, rows, exact = numbers[usable], rows[usable], exact[usable]
    try:
        found = probe(
            store, store.tiles, (exact, round_trip(exact)), (numbers, rows), LabelsConfig(), BURN_SCARS, root
        )
    except BadInput as err:
        return {"not_measured": f"The loss on labels was not measured: {err}"}
    linear, knn = found.by_method["linear"], found.by_method["knn"]
    return {
        "labels": found.source, "patches": found.patches, "places": found.places,
        "mean_iou": linear[0].mean_iou, "mean_iou_after": linear[1].mean_iou,
        "mean_iou_change": linear[1].mean_iou - linear[0].mean_iou,
        "knn_mean_iou": knn[0].mean_iou, "knn_mean_iou_after": knn[1].mean_iou,
    }  # fmt: skip


def _spread(store: EmbeddingStore) -> tuple[np.ndarray, np.ndarray]:
    """Number of the tile and row in it, of valid rows evenly spread over the store."""
    counts = [tile.rows for tile in store.tiles]
    numbers = np.repeat(np.arange(len(counts)), counts)
    rows = np.concatenate([np.arange(count) for count in counts])
    valid = np.flatnonzero(store.read_valid_fraction() > 0)
    chosen = valid[:: max(1, -(-len(valid) // _MOST_ROWS))]
    return numbers[chosen], rows[chosen]


def _embeddings(store: EmbeddingStore, layer: int, numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(n, D) float32 of some rows; one part is in memory at a time."""
    found = []
    for number, (_, values, _) in enumerate(store.iterate(layer)):
        first, end = np.searchsorted(numbers, [number, number + 1])
        if first < end:
            found.append(values.reshape(-1, values.shape[-1])[rows[first:end]].astype(np.float32))
    return np.concatenate(found)
