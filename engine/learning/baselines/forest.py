"""A random forest on the raw bands of single pixels: what the reflectances tell without any encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.jobs.configuration.config import ExtractConfig
from engine.learning.baselines.baseline import TrainingTiles
from engine.learning.baselines.raw_pixels import labelled_pixels
from engine.learning.baselines.raw_stores import raw_config
from engine.learning.baselines.remembered_counts import remembered_counts
from engine.learning.tasks.task import Task
from engine.learning.truth import LabelledTile
from engine.store.store import EmbeddingStore

# Pixels that are learnt from, drawn evenly over the training tiles: more move its scores by less than their intervals.
_MOST_PIXELS = 20_000
_TREES, _LEAST_IN_A_LEAF = 50, 3
_SEED = 0


@dataclass(frozen=True)
class PixelForest:
    """The class that most trees give a pixel by all bands of its last date.

    Attributes:
        task: whose scores are computed.
    """

    task: Task

    key = "forest"
    name = "random forest on raw bands"
    bands = ()

    def extraction(self, store: EmbeddingStore) -> ExtractConfig:
        """Raw reflectances of the last date on the tiles of a store.

        Raises:
            StoreError: the store does not know how it was extracted.
        """
        return raw_config(store)

    def fit(self, raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> dict[str, float]:
        """Its number of trees: the forest itself is grown where it is needed, always the same one."""
        del raw, tiles
        return {"trees": _TREES}

    def counts(
        self,
        raw: EmbeddingStore,
        tiles: Sequence[LabelledTile],
        fitted: Mapping[str, float],
        training: TrainingTiles,
    ) -> np.ndarray:
        """(tiles, N) counts of the forest that the training tiles grow; grown once for the same pixels and labels."""
        from sklearn import __version__

        taught = training()
        rule = {
            "task": self.task.name,
            "sklearn": __version__,
            "pixels": _MOST_PIXELS,
            "leaf": _LEAST_IN_A_LEAF,
            "seed": _SEED,
        }
        return remembered_counts(
            raw,
            rule | dict(fitted),
            taught,
            tiles,
            lambda: self._grown(raw, tiles, int(fitted["trees"]), taught),
        )

    def _grown(
        self, raw: EmbeddingStore, tiles: Sequence[LabelledTile], trees: int, taught: Sequence[LabelledTile]
    ) -> np.ndarray:
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            trees, min_samples_leaf=_LEAST_IN_A_LEAF, random_state=_SEED, n_jobs=-1
        ).fit(*_sampled(raw, taught))
        nothing = np.zeros(0, np.int8)
        counts = np.tile(self.task.counts_of_pixels(nothing, nothing), (len(tiles), 1))
        for number, truth, bands in labelled_pixels(raw, tiles, raw.meta.bands, _as_they_are):
            counts[number] = self.task.counts_of_pixels(truth, forest.predict(bands))
        return counts


def _sampled(raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> tuple[np.ndarray, np.ndarray]:
    """Bands (n, C) and classes (n,) of some pixels, the same share of each tile."""
    known = sum(int((one.pixels >= 0).sum()) for one in tiles)
    share = min(1.0, _MOST_PIXELS / max(known, 1))
    bands, classes = [], []
    for number, truth, found in labelled_pixels(raw, tiles, raw.meta.bands, _as_they_are):
        chosen = np.random.default_rng((_SEED, number)).random(len(truth)) < share
        bands.append(found[chosen])
        classes.append(truth[chosen])
    return np.concatenate(bands), np.concatenate(classes)


def _as_they_are(bands: np.ndarray) -> np.ndarray:
    return bands
