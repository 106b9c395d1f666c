"""Small stores with known numbers, for the tests of the embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.jobs.configuration.config import config_hash, parse_config
from engine.jobs.events import Event, TileDone
from engine.store import writer
from engine.store.schema import SCHEMA_VERSION, StoredTile, StoreMeta, TileRows, column_names
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter

CONFIG = parse_config(
    {"kind": "extract", "scene": {"source": "file", "path": "scene.tif"}, "backbone": {"name": "raw"}}
)


def meta_of(dims: tuple[int, ...] = (5,), dtype: str = "float16", **changes: object) -> StoreMeta:
    layers = tuple(range(len(dims)))
    facts: dict[str, object] = {
        "schema_version": SCHEMA_VERSION, "backbone": "raw", "weights_sha256": "random", "layers": layers,
        "dims": dims, "columns": column_names(layers), "granularity": "patch", "pooling": None, "patch_px": 16,
        "gsd_m": 30.0, "dtype": dtype, "bands": ("blue",), "is_simulated": True, "source": "made for a test",
        "config_hash": config_hash(CONFIG), "config": CONFIG.model_dump(mode="json"),
    }  # fmt: skip
    return StoreMeta(**{**facts, **changes})  # type: ignore[arg-type]


def tile_at(
    column: int, row: int = 0, side: int = 4, crs: str = "EPSG:32618", west: float = 400_000.0
) -> StoredTile:
    """The tile of a column and row of side * side patches of 16 px of 30 m; all on one grid."""
    size = side * 16
    transform = (30.0, 0.0, west + column * size * 30.0, 0.0, -30.0, 4_100_000.0 - row * size * 30.0)
    return StoredTile(f"t{crs[-2:]}_{column}_{row}", crs, transform, side, side, size, size,
                      ("2020-06-01T00:00:00+00:00",), ("scene",), None)  # fmt: skip


def rows_at(tile: StoredTile, dims: tuple[int, ...] = (5,), seed: int = 0, gaps: int = 0) -> TileRows:
    """Correlated random embeddings; the first `gaps` rows have no valid pixel and hold what nobody may use."""
    rng = np.random.default_rng([seed, *map(ord, tile.id)])
    embeddings = []
    for dim in dims:
        mix = np.random.default_rng(dim).standard_normal((dim, dim))
        values = rng.standard_normal((tile.rows, dim)) @ mix + 3.0
        values[:gaps] = 1e4
        embeddings.append(values.astype(np.float32))
    valid = np.ones(tile.rows, np.float32)
    valid[:gaps] = 0
    return TileRows(tile, tuple(embeddings), valid)


def make_store(run_folder: Path, tiles: list[TileRows], meta: StoreMeta | None = None) -> EmbeddingStore:
    writer = StoreWriter(run_folder, meta or meta_of())
    for rows in tiles:
        writer.append(rows)
    return EmbeddingStore.open(writer.finish())


def interrupted(events: Iterator[Event], after: int) -> None:
    """Close an extraction after so many tiles; some of them may not be written yet."""
    for done, _ in enumerate(e for e in events if isinstance(e, TileDone)):
        if done + 1 == after:
            events.close()  # type: ignore[attr-defined]
            return


def stop_after_the_first_part(events: Iterator[Event], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Close an extraction as soon as a part of its store is there; it is written behind the events."""
    monkeypatch.setattr(writer, "ROWS_A_PART", 16)
    monkeypatch.setattr(writer, "PARTS_AT_ONCE", 1)
    for _ in events:
        if list(folder.glob("*/part-*.parquet")):
            events.close()  # type: ignore[attr-defined]
            break
    assert not (folder / "store").exists(), "the run ended before a part of it was seen"
