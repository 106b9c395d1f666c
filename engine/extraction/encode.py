"""From pixels to rows: the one place where chips meet the encoder."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from engine.backbones.build import build
from engine.backbones.core.batch import Backbone, Batch, Embedded, joined
from engine.backbones.core.device import Device, OnDevice
from engine.backbones.core.temporal import TemporalBackbone
from engine.backbones.weights.download import Progress
from engine.errors import BackboneError
from engine.extraction.pixels.tile_reader import TileRead
from engine.extraction.plan import Plan
from engine.extraction.store_layout import stored_tile
from engine.store.cells import folded
from engine.store.schema import TileRows, finest_cells

Waiting = Callable[[], Embedded]
"""Gives the embeddings of a forward pass that was begun, when they are there."""


def open_backbone(plan: Plan, device: Device, on_progress: Progress | None = None) -> Backbone:
    """The planned backbone on a device; several dates are joined as planned.

    Args:
        on_progress: called with bytes so far and in all while weights are fetched.

    Raises:
        WeightsError: weights that are absent, altered or of another model.
    """
    backbone = build(
        plan.spec,
        plan.weights,
        device,
        settings=plan.settings,
        seed=plan.seed,
        bands=plan.bands,
        on_progress=on_progress,
    )
    if plan.compile:
        backbone.compile()
    return backbone if plan.frames == 1 else TemporalBackbone(backbone, plan.temporal)


def encode(backbone: Backbone, plan: Plan, reads: Sequence[TileRead]) -> list[TileRows]:
    """Rows of the tiles that have pixels, in the order of the reads.

    Needs nothing but its arguments: any process that opened the backbone may call it.

    Args:
        reads: tiles of one window size and number of dates (see `batches.batches_of`).
    """
    batch = batch_of(reads, plan)
    if batch is None:
        return []
    return rows_of(begin(backbone, plan, batch), reads, plan)


def batch_of(reads: Sequence[TileRead], plan: Plan, is_pinned: bool = False) -> Batch | None:
    """Chips of one shape as one batch, with the facts that encoders read besides pixels; None without chips.

    Args:
        is_pinned: put pixels where a CUDA device fetches them by itself.
    """
    chips = [read.chip for read in reads if read.chip is not None]
    if not chips:
        return None
    if len({(chip.stored.dtype, chip.scale, chip.offset) for chip in chips}) > 1:
        image, scale, offset = np.stack([chip.image for chip in chips]), 1.0, 0.0
    else:
        image, scale, offset = np.stack([chip.stored for chip in chips]), chips[0].scale, chips[0].offset
    pixels = torch.from_numpy(image)  # (B, T, C, H, W)
    valid = torch.from_numpy(np.stack([chip.valid for chip in chips]))  # (B, T, H, W)
    scene = reads[0].planned.scenes[0]
    return Batch(
        image=pixels.pin_memory() if is_pinned else pixels,
        valid=valid.pin_memory() if is_pinned else valid,
        bands=plan.bands,
        wavelengths_um=tuple(scene.wavelength_um(band) for band in plan.bands),
        units=tuple(scene.assets[band].sensor.unit for band in plan.bands),
        gsd_m=chips[0].tile.gsd_m,
        datetimes=[chip.datetimes for chip in chips],
        lonlat=torch.tensor([chip.tile.centre_lonlat for chip in chips], dtype=torch.float32),  # (B, 2)
        scale=scale,
        offset=offset,
    )


def begin(backbone: Backbone, plan: Plan, batch: Batch, pixels: int = 0) -> list[Waiting]:
    """Start the forward passes of a batch: one, or shifted ones, row by row of shifts.

    Args:
        pixels: that one pass may take where the batch size is left open; several shifts of a small batch share a pass.
    """
    k, side = plan.shifts, plan.cell_px
    if k == 1:
        return [_begun(backbone, batch, plan.layers)]
    shifts = [(row * side, column * side) for row in range(k) for column in range(k)]
    count = len(batch.datetimes)
    windows_a_pass = plan.batch_size or pixels // math.prod(batch.valid.shape[1:])
    step = max(1, windows_a_pass // count)
    waiting: list[Waiting] = []
    for start in range(0, len(shifts), step):
        windows = [_shifted(batch, shift, plan) for shift in shifts[start : start + step]]
        together = _begun(backbone, joined(windows), plan.layers)
        waiting += [partial(_share_of, together, index * count, count) for index in range(len(windows))]
    return waiting


def rows_of(passes: Sequence[Waiting], reads: Sequence[TileRead], plan: Plan) -> list[TileRows]:
    """Rows of the tiles of a batch: each layer on the grid of rows, or pooled over the tile."""
    encoded = [read for read in reads if read.share is not None]
    found = [waiting() for waiting in passes]
    if plan.has_row_a_tile:
        return [_one_row(found[0], index, read, plan) for index, read in enumerate(encoded)]
    return [_rows(found, index, read, plan) for index, read in enumerate(encoded)]


def _begun(backbone: Backbone, batch: Batch, layers: Sequence[int]) -> Waiting:
    if isinstance(backbone, OnDevice):
        return backbone.begin(batch, layers).result
    found = backbone.embed(batch, layers)
    return lambda: found


def _share_of(together: Waiting, start: int, count: int) -> Embedded:
    """Some chips of a pass."""
    found = together()
    maps, cls = ([item[start : start + count] for item in items] for items in (found.maps, found.cls or ()))
    return Embedded(maps, cls if found.cls is not None else None)


def _shifted(batch: Batch, shift: tuple[int, int], plan: Plan) -> Batch:
    """The windows of one shifted pass."""
    reach = plan.reach_px
    rows = slice(shift[0], batch.image.shape[-2] - reach + shift[0])
    columns = slice(shift[1], batch.image.shape[-1] - reach + shift[1])
    return dataclasses.replace(
        batch, image=batch.image[..., rows, columns], valid=batch.valid[..., rows, columns]
    )


def _rows(found: Sequence[Embedded], index: int, read: TileRead, plan: Plan) -> TileRows:
    """The rows of one tile, or of its window for `blending`; those of shifted passes stand between one another."""
    assert read.share is not None, "a tile with pixels has its valid share"
    tile, k = stored_tile(read.planned, plan), plan.shifts
    rows, across = plan.window_grid(read.planned) if plan.is_blended else (tile.h, tile.w)
    h, w = rows // k, across // k
    columns = []
    for layer in range(len(plan.layers)):
        maps = [each.maps[layer][index].numpy() for each in found]
        maps = [fold(values if plan.is_blended else _on_tile(values, read, plan), (h, w)) for values in maps]
        if k > 1:
            kind = np.float32 if plan.is_blended else plan.dtype
            dense = np.empty((rows, across, maps[0].shape[-1]), kind)
            for place, values in enumerate(maps):
                dense[place // k :: k, place % k :: k] = values
            maps = [dense]
        columns.append(maps[0].reshape(rows * across, -1))
    of_cells = (
        None if read.cell_share is None else folded(read.cell_share[..., None], finest_cells(plan.cells))
    )
    return TileRows(tile, tuple(columns), read.share.reshape(-1), read.window_fraction, of_cells)


def _one_row(found: Embedded, index: int, read: TileRead, plan: Plan) -> TileRows:
    assert read.share is not None, "a tile with pixels has its valid share"
    if plan.pooling == "cls":
        if found.cls is None:
            raise BackboneError(
                f"{plan.spec.name} has no class token, which pooling: cls takes. Choose mean or max."
            )
        pooled = tuple(token[index][None].numpy() for token in found.cls)
    else:
        maps = [_on_tile(layer[index].numpy(), read, plan) for layer in found.maps]
        pooled = tuple(_pooled(layer, read.share, plan.pooling or "mean") for layer in maps)
    tile = stored_tile(read.planned, plan)
    return TileRows(tile, pooled, np.array([read.share.mean()], np.float32), read.window_fraction)


def _on_tile(layer: np.ndarray, read: TileRead, plan: Plan) -> np.ndarray:
    """The part of a window's map (h, w, D) that lies on the tile."""
    planned, reach = read.planned, plan.reach_px
    if planned.window == planned.tile:
        return layer
    stride = (planned.window.height - reach) // layer.shape[0]
    top, left = ((margin - reach // 2) // stride for margin in planned.margin_px)
    return layer[top : top + planned.tile.height // stride, left : left + planned.tile.width // stride]


def fold(layer: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """A finer layer on the patch grid: the r x r cells of a patch, row-major, follow one another.

    Args:
        layer: (h * r, w * r, D).
        grid: (h, w).

    Returns:
        (h, w, r * r * D).
    """
    h, w = grid
    r, dim = layer.shape[0] // h, layer.shape[2]
    if r == 1:
        return layer
    cells = layer.reshape(h, r, w, r, dim).transpose(0, 2, 1, 3, 4)  # (h, w, r, r, D)
    return cells.reshape(h, w, r * r * dim)


def _pooled(layer: np.ndarray, share: np.ndarray, pooling: str) -> np.ndarray:
    """(1, D) over the cells with a usable pixel; cells without one never count."""
    r = max(1, layer.shape[0] // share.shape[0])
    usable = share.repeat(r, 0).repeat(r, 1) > 0
    cells = layer[usable] if usable.any() else layer.reshape(-1, layer.shape[-1])
    return np.asarray(
        cells.max(axis=0) if pooling == "max" else cells.mean(axis=0, dtype=np.float64), np.float32
    )[None]
