"""Embeddings that are no numbers: neither learned from nor mapped, on whatever tile they lie."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine.errors import StoreError
from engine.jobs.configuration.config import TrainConfig
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.predict import predict_tiles
from engine.store.schema import TileRows
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter
from tests.unit.learning.recorded_run import run

WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]


def damaged(store: EmbeddingStore, chips: tuple[str, ...], folder: Path) -> Path:
    """The same store with an infinity in a patch of some chips."""
    with closing(StoreWriter(folder, store.meta)) as writer:
        for tile in store.tiles:
            values = store.read_tile(tile.id).reshape(tile.rows, -1).copy()
            values[5, 2] = np.inf if tile.id in chips else values[5, 2]
            writer.append(TileRows(tile, (values,), np.ones(tile.rows, np.float32)))
        return writer.finish()


def test_embeddings_that_are_no_numbers_are_refused_by_learning_and_by_mapping_naming_their_tile(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    config = config_of(write_chips(), epochs=1)
    trained = TrainRun.open(run(config, home)[0])
    store = EmbeddingStore.open(trained.store_folder)
    for chip in ("chip0", "chip4", "chip6"):  # of the training, the validation and the test
        found = damaged(store, (chip,), home / chip)
        with pytest.raises(StoreError, match=rf"not finite .* on 1 of 9 tiles \({chip}\)"):
            list(predict_tiles(trained, EmbeddingStore.open(found)))
        with pytest.raises(StoreError, match=rf"not finite .* \({chip}\)"):
            run(config.model_copy(update={"store": str(found)}), home, f"on-{chip}")
    others = damaged(store, ("chip1",), home / "others")
    assert len(list(predict_tiles(trained, EmbeddingStore.open(others), {"chip0", "chip2"}))) == 2
