"""Predicted numbers against true ones: how many pixels lie where, and how their differences are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # pages read what was counted, and never load torch
    from engine.learning.truth import LabelledTile


_BINS = 60
# Ends of the axes: beyond them lies a thousandth of the pixels, which are counted in the outermost bins.
_SHOWN = (0.0005, 0.9995)
_MOST_SAMPLED = 200_000


@dataclass(frozen=True)
class Scatter:
    """Pixels by true and by predicted number.

    Attributes:
        edges: (n + 1,) of both axes.
        counts: (n, n) pixels, true by predicted.
        error_edges: (m + 1,), predicted minus true; error_counts: (m,) pixels.
    """

    edges: np.ndarray
    counts: np.ndarray
    error_edges: np.ndarray
    error_counts: np.ndarray

    @classmethod
    def of(cls, tiles: Sequence[LabelledTile], predicted: Mapping[str, np.ndarray]) -> Scatter | None:
        """Count the known pixels of some tiles; None where there is none."""
        pairs = [(one.pixels, predicted[one.tile.id]) for one in tiles]
        known = [
            (truth[at], values[at])
            for truth, values in pairs
            if (at := ~np.isnan(truth) & ~np.isnan(values)).any()
        ]
        if not known:
            return None
        step = max(1, sum(len(truth) for truth, _ in known) // _MOST_SAMPLED)
        sample = np.concatenate([np.stack([t, v])[:, ::step] for t, v in known], axis=1).astype(np.float64)
        edges = _edges(*np.quantile(sample, _SHOWN))
        reach = float(np.quantile(np.abs(sample[1] - sample[0]), _SHOWN[1]))
        error_edges = _edges(-reach, reach)
        counts, errors = np.zeros((_BINS, _BINS), np.int64), np.zeros(_BINS, np.int64)
        for truth, values in known:
            across, up = _bin(truth, edges), _bin(values, edges)
            counts += np.bincount(across * _BINS + up, minlength=_BINS**2).reshape(_BINS, _BINS)
            errors += np.bincount(_bin(values.astype(np.float64) - truth, error_edges), minlength=_BINS)
        return cls(edges, counts, error_edges, errors)

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Scatter:
        """What `to_json` wrote."""
        return cls(*(np.array(tree[name]) for name in ("edges", "counts", "error_edges", "error_counts")))

    def to_json(self) -> dict[str, Any]:
        """All of it as lists."""
        return {
            "edges": self.edges.tolist(), "counts": self.counts.tolist(),
            "error_edges": self.error_edges.tolist(), "error_counts": self.error_counts.tolist(),
        }  # fmt: skip


def _edges(low: float, high: float) -> np.ndarray:
    if not high > low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, _BINS + 1)


def _bin(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
