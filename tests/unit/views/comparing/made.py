"""Small stores of one ground, for the tests that hold them against each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.store.schema import TileRows
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import DatedView, dated
from engine.views.layer_view import view_of
from tests.unit.store.stores import make_store, meta_of, tile_at

SIDE, COLUMNS, ROWS = 6, 4, 3


def ground(dim: int = 5, seed: int = 0) -> np.ndarray:
    """(patches down, patches across, D): what lies there, smooth enough that neighbours are alike."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0 : ROWS * SIDE, 0 : COLUMNS * SIDE] / SIDE
    waves = rng.normal(size=(dim, 2))
    return (
        np.stack([np.sin(across * a + down * b + a) for a, b in waves], axis=-1) * np.linspace(3, 1, dim)
        + 5.0
    )


def store_of(
    folder: Path, values: np.ndarray, gaps: int = 0, corner_m: tuple[float, float] = (400_000.0, 4_100_000.0), crs: str = "EPSG:32618",
    day: str = "2020-06-01",
    **meta: object,
) -> EmbeddingStore:  # fmt: skip
    """Tiles of SIDE x SIDE patches that hold (down, across, D) values; the first rows of the first tile are gaps."""
    rows = []
    for row in range(values.shape[0] // SIDE):
        for column in range(values.shape[1] // SIDE):
            grid = tile_at(column, row, SIDE, crs, corner_m[0])
            north = grid.transform[5] + corner_m[1] - 4_100_000.0
            tile = replace(grid, transform=(*grid.transform[:5], north), datetimes=(f"{day}T00:00:00+00:00",))
            own = values[row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE]
            valid = np.ones(tile.rows, np.float32)
            valid[: gaps * (row == column == 0)] = 0
            rows.append(TileRows(tile, (own.reshape(tile.rows, -1).astype(np.float32),), valid))
    return make_store(folder, rows, meta_of((values.shape[-1],), "float32", **meta))


def view_on(store: EmbeddingStore, date: str | None = None) -> DatedView:
    return dated(view_of(store, window=1), date)
