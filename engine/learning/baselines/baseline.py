"""What a baseline is: a rule on raw pixels, fitted on the training tiles and counted on the test tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from engine.jobs.configuration.config import ExtractConfig
from engine.learning.truth import LabelledTile
from engine.store.store import EmbeddingStore

TrainingTiles = Callable[[], Sequence[LabelledTile]]


class Baseline(Protocol):
    """A baseline reads its pixels from a store of raw reflectances with the same tiles as the decoder's."""

    @property
    def key(self) -> str:
        """As configurations and files call it."""

    @property
    def name(self) -> str:
        """What tables call it."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Common names of the bands that it needs."""

    def extraction(self, store: EmbeddingStore) -> ExtractConfig | None:
        """The extraction of the pixels that it reads, on the tiles of a store; None where the store has too few dates.

        Raises:
            StoreError: the store does not know how it was extracted.
        """

    def fit(self, raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> dict[str, float]:
        """What the rule is fitted to on the training tiles, such as a threshold.

        Raises:
            StoreError: the raw store lacks a tile.
        """

    def counts(
        self,
        raw: EmbeddingStore,
        tiles: Sequence[LabelledTile],
        fitted: Mapping[str, float],
        training: TrainingTiles,
    ) -> np.ndarray:
        """(tiles, N) counts of its map against the labels of each tile, as the task counts them.

        Args:
            fitted: as `fit` gave it.
            training: the training tiles, for a rule that no few numbers can keep.

        Raises:
            StoreError: the raw store lacks a tile.
        """
