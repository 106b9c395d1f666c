"""Extracts a scene with a row for each pixel and lays the rows out as pictures again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from engine.extraction.extract import extract
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import Noticed
from engine.store.store import EmbeddingStore


@dataclass(frozen=True)
class StoredPixels:
    """What an extraction of raw pixels left.

    Attributes:
        values: common name -> (H, W) float32, NaN in gaps and where nothing is stored.
        transform: of these pictures, which hang on the grid of tiles.
        said: what the run told.
        datetimes: ISO 8601 times of the tiles.
    """

    values: dict[str, np.ndarray]
    transform: Affine
    said: str
    datetimes: set[str | None]

    def cut(self, west: float, north: float, shape: tuple[int, int]) -> dict[str, np.ndarray]:
        """The part of the pictures whose north-western corner is given."""
        column, row = (round(v) for v in ~self.transform @ (west, north))
        inside = np.s_[row : row + shape[0], column : column + shape[1]]
        return {band: picture[inside] for band, picture in self.values.items()}


def extracted(folder: Path, scene: dict[str, Any], **changes: Any) -> StoredPixels:
    """Run an extraction of raw pixels, a row each, and read its store back.

    Args:
        folder: in which the run's own is made.
    """
    config = parse_config({
        "kind": "extract", "scene": scene, "backbone": {"name": "raw", "settings": {"patch_px": "1"}},
        "tiles": {"size_px": 32}, "output": {"dtype": "float32"}, "device": "cpu", **changes,
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    told = [event.message for event in extract(config, folder / "run", folder) if isinstance(event, Noticed)]
    store = EmbeddingStore.open(folder / "run")
    grids = [tile.pixel_transform for tile in store.tiles]
    side, west, north = grids[0].a, min(grid.c for grid in grids), max(grid.f for grid in grids)
    here = Affine(side, 0, west, 0, -side, north)
    places = [tuple(round(v) for v in ~here @ (grid.c, grid.f)) for grid in grids]
    height = max(row + tile.h for (_, row), tile in zip(places, store.tiles, strict=True))
    width = max(column + tile.w for (column, _), tile in zip(places, store.tiles, strict=True))
    values = np.full((len(store.meta.bands), height, width), np.nan, np.float32)
    for (column, row), (tile, rows, valid) in zip(places, store.iterate(), strict=True):
        picture = np.where(valid[..., None] > 0, rows, np.nan)  # (h, w, C)
        values[:, row : row + tile.h, column : column + tile.w] = picture.transpose(2, 0, 1)
    return StoredPixels(
        dict(zip(store.meta.bands, values, strict=True)),
        here,
        " ".join(told),
        {when for tile in store.tiles for when in tile.datetimes},
    )
