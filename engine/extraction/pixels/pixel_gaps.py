"""Which pixels of a store's tiles have data, read from the scenes again: a store keeps only the share of each patch."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from engine.errors import EngineError
from engine.extraction.pixels.tile_reader import read_pixels, valid_share
from engine.extraction.plan import Plan, make_plan
from engine.imagery.grid import Tile
from engine.imagery.scene import fingerprint
from engine.imagery.tiles.windows import PlannedTile
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.labels.build import PixelsWithData
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore


def pixels_with_data(store: EmbeddingStore, root: Path) -> tuple[PixelsWithData | None, str]:
    """A reader of the pixels with data of a store's tiles, and what is to be said where there can be none.

    Only tiles with patches that have data in part are read again.

    Args:
        root: where runs, and what they made themselves, are kept.

    Returns:
        The reader and an empty text; or None and why the gaps of the store follow whole patches.
    """
    partly = _partly_filled(store)
    if not partly:
        return (lambda _: None), ""
    try:
        config = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
        if not isinstance(config, ExtractConfig):
            return None, _note(len(partly), "the store does not say how it was extracted")
        plan = make_plan(config, root)
        if tuple(fingerprint(scene) for scene in plan.scenes) != store.meta.scene_fingerprints:
            return None, _note(len(partly), "the scenes' files have changed since")
    except (EngineError, OSError) as err:
        return None, _note(len(partly), f"the scenes cannot be read again: {err}")
    planned = {item.tile.id: item for item in plan.tiles}
    if partly - planned.keys():
        return None, _note(len(partly), "the scenes are cut into other tiles today")
    return (lambda tile: _has_data(tile, planned[tile.id], plan) if tile.id in partly else None), ""


def _partly_filled(store: EmbeddingStore) -> set[str]:
    """Ids of the tiles with a patch of which some pixels have data and others not."""
    share = store.read_valid_fraction()
    ends = np.cumsum([tile.rows for tile in store.tiles])
    partly = np.split((share > 0) & (share < 1), ends[:-1])
    return {tile.id for tile, rows in zip(store.tiles, partly, strict=True) if rows.any()}


def _has_data(tile: StoredTile, planned: PlannedTile, plan: Plan) -> np.ndarray:
    """(height_px, width_px) bool; the tile as it was stored, which earlier versions cut beyond the scene's end."""
    own = Tile.of(tile.id, tile.crs, tile.pixel_transform, tile.height_px, tile.width_px)
    there = dataclasses.replace(planned, tile=own, window=own)
    return valid_share(read_pixels(there, plan).valid, there, cell_px=1) > 0


def _note(tiles: int, why: str) -> str:
    return (
        f"Gaps are told by whole patches on {tiles} tile(s) with patches that are partly without data: {why}."
    )
