"""How much an embedding moves when its window moves by one pixel: the ground hardly changes, and neither should it."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
from affine import Affine

from engine.backbones.core.device import choose
from engine.errors import StoreError
from engine.extraction.encode import encode, open_backbone
from engine.extraction.pixels.tile_reader import TileRead, read_tile
from engine.extraction.plan import Plan, make_plan
from engine.imagery.grid import Tile
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.tiles.windows import PlannedTile
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import MeasureStep
from engine.store.store import ENCODER, EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.moments import moments
from engine.views.whole_windows import WHOLE

# Tiles that are encoded twice, evenly chosen among those of whole windows.
_TILES = 6


def shift_steps(
    store: EmbeddingStore, root: Path, device: str = "auto"
) -> Generator[MeasureStep, None, dict[int, float]]:
    """Layer -> distance that a shift by one pixel moves an embedding, over that between any two patches.

    Both are root mean squares: 0 where nothing moves, 1 where the shift matters as much as another place.

    Args:
        root: where the extraction keeps what it made itself.
        device: as in a configuration.

    Yields:
        How many tiles have been encoded twice.

    Raises:
        StoreError: the store does not say how it was extracted, or no tile has a whole window.
        BadInput: the scenes or the weights are gone.
    """
    plan = _plan(store, root, device)
    yield MeasureStep("Loading the backbone", 0, 0)
    backbone = open_backbone(plan, choose(plan.device))
    squares, count = np.zeros(len(plan.layers)), 0
    for done, pair in enumerate(_pairs(plan)):
        yield MeasureStep("Encoding tiles and the same shifted by a pixel", done, _TILES)
        encoded = [encode(backbone, plan, [read])[0] for read in pair]
        is_whole = (encoded[0].valid_fraction == 1) & (encoded[1].valid_fraction == 1)
        for number, both in enumerate(zip(*(rows.embeddings for rows in encoded), strict=True)):
            one, other = (values[is_whole].astype(np.float64) for values in both)
            squares[number] += float(np.square(other - one).sum())
        count += int(is_whole.sum())
    if not count:
        raise StoreError(
            f"{store.folder} has no tile with a whole window beside it. Extract a larger region."
        )
    return {
        layer: round(float(np.sqrt(moved / count / _apart(store, layer))), 4)
        for layer, moved in zip(plan.layers, squares, strict=True)
    }


def _apart(store: EmbeddingStore, layer: int) -> float:
    """Mean squared distance between any two rows of a layer, the cells of a finer one added up."""
    view = view_of(store, layer, window=1)
    return float(2 * np.trace(moments(view).covariance)) * view.store.cells**2


def _plan(store: EmbeddingStore, root: Path, device: str) -> Plan:
    """The plan that the store was made by, with the weights that it kept."""
    config = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    if not isinstance(config, ExtractConfig):
        raise StoreError(
            f"{store.folder} holds the configuration of another kind of job than an extraction. Extract it again."
        )
    plan = make_plan(config, root)
    kept = store.folder / ENCODER
    return dataclasses.replace(plan, device=device, weights=str(kept) if kept.is_file() else plan.weights)


def _pairs(plan: Plan) -> Iterator[tuple[TileRead, TileRead]]:
    """Some tiles, each with itself a pixel further east, or west where the scene ends, both of whole windows."""
    found = 0
    with OpenRasters() as rasters:
        for number in dict.fromkeys(np.linspace(0, len(plan.tiles) - 1, 4 * _TILES).astype(int).tolist()):
            here = read_tile(plan.tiles[number], plan, rasters)
            if here.chip is None or here.window_fraction < WHOLE:
                continue
            moved = (read_tile(_moved(plan.tiles[number], step), plan, rasters) for step in (1, -1))
            there = next(
                (read for read in moved if read.chip is not None and read.window_fraction >= WHOLE), None
            )
            if there is not None:
                yield here, there
                found += 1
            if found == _TILES:
                return


def _moved(planned: PlannedTile, pixels: int) -> PlannedTile:
    """A tile and its window so many pixels further east."""
    tile, window = (
        Tile.of(one.id, one.crs, one.transform @ Affine.translation(pixels, 0), one.height, one.width)
        for one in (planned.tile, planned.window)
    )
    return dataclasses.replace(planned, tile=tile, window=window, area=None)
