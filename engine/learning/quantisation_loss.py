"""What smaller numbers cost where labels exist: a linear probe on the embeddings themselves, and on what a reader gets back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import BadInput
from engine.jobs.configuration.config import LabelsConfig
from engine.learning.patch_classes import PatchClasses, patch_classes
from engine.learning.probe import probe_scores
from engine.learning.splits.places import place_numbers
from engine.store.store import EmbeddingStore

RoundTrip = Callable[[np.ndarray], np.ndarray]
# Rows that are looked at, evenly spread: the probe learns from 5,000 of them. Each tile's labels are read for itself.
_MOST_ROWS, _MOST_TILES = 20_000, 5_000
_WITHOUT = "A raster of classes can be named for it: --labels on the command line, a field below the numbers in the app."


def probe_of(
    root: Path, labels: str | None = None
) -> Callable[[EmbeddingStore, int, RoundTrip], dict[str, Any]]:
    """`probe_change` in a workspace.

    Args:
        labels: path of a raster of classes; None: the masks of the scenes.
    """
    config = LabelsConfig() if labels is None else LabelsConfig(source="raster", path=labels)
    return lambda store, layer, round_trip: probe_change(store, layer, round_trip, root, config)


def probe_change(
    store: EmbeddingStore, layer: int, round_trip: RoundTrip, root: Path, labels: LabelsConfig
) -> dict[str, Any]:
    """Mean IoU of both methods of the probe before and after, on labels; else why it was not measured.

    Args:
        store: at the layer's own patches.
        round_trip: (n, D) embeddings to (n, D) as they are read back.
        root: where the extraction keeps what it made itself.
    """
    most = _MOST_TILES if store.meta.granularity == "tile" else _MOST_ROWS
    try:
        known = patch_classes(store, labels, root, most)
        exact = _embeddings(store, layer, known)
        usable = np.isfinite(exact).all(axis=1)
        exact, places = exact[usable], place_numbers(store.tiles)[known.tiles][usable]
        found = probe_scores(
            (exact, round_trip(exact)), known.truth[usable], places, known.titles, known.source
        )
    except BadInput as err:
        more = f" {_WITHOUT}" if labels.source == "scene" else ""
        return {"not_measured": f"What a probe on labels loses was not measured: {err}{more}"}
    linear, knn = found.by_method["linear"], found.by_method["knn"]
    return {
        "labels": found.source, "patches": found.patches, "places": found.places,
        "mean_iou": linear[0].mean_iou, "mean_iou_after": linear[1].mean_iou,
        "mean_iou_change": linear[1].mean_iou - linear[0].mean_iou,
        "mean_iou_low": linear[0].low, "mean_iou_high": linear[0].high,
        "knn_mean_iou": knn[0].mean_iou, "knn_mean_iou_after": knn[1].mean_iou,
    }  # fmt: skip


def _embeddings(store: EmbeddingStore, layer: int, known: PatchClasses) -> np.ndarray:
    """(n, D) float32 of some patches; one part is in memory at a time."""
    found = []
    for number, (_, values, _) in enumerate(store.iterate(layer)):
        first, end = np.searchsorted(known.tiles, [number, number + 1])
        if first < end:
            found.append(values.reshape(-1, values.shape[-1])[known.rows[first:end]].astype(np.float32))
    return np.concatenate(found)
