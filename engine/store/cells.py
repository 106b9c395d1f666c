"""Layers that are finer than the rows of their store: each cell of a row as a patch of its own.

A row is a patch of the coarsest layer that was asked for. Of a finer layer it holds the cells inside that patch, row-major,
one after another; pictures and numbers of that layer are of its cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.backbones import cards
from engine.backbones.core.settings import settle
from engine.errors import BackboneError
from engine.store.schema import StoredTile, StoreMeta


def finer_shares(shares: np.ndarray, tiles: Sequence[StoredTile], cells: int) -> np.ndarray:
    """What a store keeps of its finest cells as one number for each cell of a layer, in the order of `unfolded`.

    Args:
        shares: (rows of the store, finest cells).
        tiles: as `finer_tile` gives them.
    """
    a_cell = math.isqrt(shares.shape[1]) // cells
    found, first = [], 0
    for tile in tiles:
        rows = shares[first : first + tile.rows // cells**2]
        finest = unfolded(
            rows.reshape(-1, 1), replace(tile, h=tile.h * a_cell, w=tile.w * a_cell), cells * a_cell
        )
        found.append(finest.reshape(tile.h, a_cell, tile.w, a_cell).mean(axis=(1, 3)).ravel())
        first += len(rows)
    return np.concatenate(found)


def cells_along_side(meta: StoreMeta, layer: int) -> int:
    """Cells of a layer along a side of a row: 1, or more where a coarser layer is kept as well.

    Stores of earlier versions do not say it, and the backbone's card is asked. 1 where cells cannot be told apart: shifted
    passes, whose rows lie closer than the patch, rows of whole tiles, and backbones that this version does not know.

    Args:
        layer: as counted by the backbone, one that the store keeps.
    """
    if len(meta.layers) == 1 or meta.granularity != "patch":
        return 1
    if meta.cells:
        return meta.cells[meta.layers.index(layer)]
    try:
        card = cards.card(meta.backbone)
        given = {
            key: str(value) for key, value in meta.config.get("backbone", {}).get("settings", {}).items()
        }
        spec = cards.resolve(card, settle(card, given), meta.bands)
        strides = {one: spec.stride_px(one) for one in meta.layers}
    except (BackboneError, IndexError):
        return 1
    cells = meta.patch_px // strides[layer]
    is_whole = meta.dims[meta.layers.index(layer)] % max(cells, 1) ** 2 == 0
    return cells if max(strides.values()) == meta.patch_px and is_whole else 1


def finer_tile(tile: StoredTile, cells: int) -> StoredTile:
    """A tile with the cells of its rows as patches."""
    found = replace(tile, h=cells * tile.h, w=cells * tile.w)
    if tile.in_window is None:
        return found
    row, column, h, w = tile.in_window
    return replace(found, in_window=(cells * row, cells * column, cells * h, cells * w))


def unfolded(rows: np.ndarray, tile: StoredTile, cells: int) -> np.ndarray:
    """The cells of a tile side by side, (h, w, D).

    Args:
        rows: (h * w, D) as the store has them, the cells of a row one after another.
        tile: as `finer_tile` gives it.
    """
    if cells == 1:
        return rows.reshape(tile.h, tile.w, -1)
    h, w, dim = tile.h // cells, tile.w // cells, rows.shape[-1]
    return rows.reshape(h, w, cells, cells, dim).swapaxes(1, 2).reshape(tile.h, tile.w, dim)


def folded(values: np.ndarray, cells: int) -> np.ndarray:
    """The inverse of `unfolded`: (h, w, D) cells as rows that hold those of a coarser patch, (h * w / cells^2, D * cells^2)."""
    h, w, dim = values.shape
    blocks = values.reshape(h // cells, cells, w // cells, cells, dim).swapaxes(1, 2)
    return blocks.reshape(h * w // cells**2, dim * cells**2)


def spread(values: np.ndarray, tiles: Sequence[StoredTile], cells: int) -> np.ndarray:
    """One number a row as one a cell, (cells of all tiles,), in the order of `unfolded`.

    Args:
        values: (rows of the store,).
        tiles: as `finer_tile` gives them.
    """
    if cells == 1:
        return values
    found, first = np.empty(sum(tile.rows for tile in tiles), values.dtype), 0
    for tile in tiles:
        begin, end = first // cells**2, (first + tile.rows) // cells**2
        rows = values[begin:end].reshape(tile.h // cells, tile.w // cells)
        found[first : first + tile.rows] = rows.repeat(cells, 0).repeat(cells, 1).ravel()
        first += tile.rows
    return found
