"""What a baseline is: a rule on raw pixels, fitted on the training tiles and scored on the test tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from engine.jobs.configuration.config import ExtractConfig
from engine.learning.truth import LabelledTile
from engine.store.store import EmbeddingStore


class Baseline(Protocol):
    """A baseline reads its pixels from a store of raw reflectances with the same tiles as the decoder's."""

    @property
    def name(self) -> str:
        """What tables call it."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Common names of the bands that it needs."""

    def extraction(self, store: EmbeddingStore) -> ExtractConfig:
        """The extraction of the pixels that it reads, on the tiles of a store.

        Raises:
            StoreError: the store does not know how it was extracted.
        """

    def fit(self, raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> dict[str, float]:
        """What the rule is fitted to on some tiles, such as a threshold.

        Raises:
            StoreError: the raw store lacks a tile.
        """

    def score(
        self, raw: EmbeddingStore, tiles: Sequence[LabelledTile], fitted: dict[str, float]
    ) -> dict[str, Any]:
        """Its scores on some tiles, with the names that the decoder's have, its own name and what it was fitted to.

        Raises:
            StoreError: the raw store lacks a tile.
        """
