"""Pixels on their way to the encoder: one planned tile read, and batches of them read ahead by threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import rasterio
from affine import Affine
from rasterio.features import rasterize

from engine.concurrency.ordered_map import ordered_map
from engine.errors import SceneError
from engine.extraction.pixels.clouds import cloud_finder
from engine.extraction.pixels.mirroring import mirrored
from engine.extraction.plan import Plan
from engine.imagery.chip import Chip, read_chip
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.tiles.windows import PlannedTile
from engine.store.schema import finest_cells

T = TypeVar("T")
# GDAL keeps unpacked blocks, which neighbouring tiles share; its own limit (a share of the machine's memory) would
# let memory grow with the scene.
CACHE_BYTES = 64_000_000


@dataclass(frozen=True)
class TileRead:
    """A planned tile and its pixels, or the reason why it has none.

    Attributes:
        chip: the pixels as the encoder sees them, mirrored beyond the scenes' ends; nobody needs them once they are
            in a batch.
        share: (h, w) float32 of the tile's rows: which part of each row's ground is valid on every date and
            inside the region, 0 to 1; None where the tile has no pixels.
        window_fraction: which part of the window is valid on every date, 0 to 1.
        cell_share: (h * cells, w * cells) float32, as `share` of the finest cells of each row; None where layers have none.
    """

    planned: PlannedTile
    chip: Chip | None
    share: np.ndarray | None = None
    reason: str = ""
    window_fraction: float = 0.0
    cell_share: np.ndarray | None = None


def read_tile(planned: PlannedTile, plan: Plan, rasters: OpenRasters | None = None) -> TileRead:
    """Read one planned tile. Needs nothing but its arguments: any thread, process or machine may call it.

    Args:
        rasters: those that the calling thread keeps open; None: they are opened for this tile.

    Raises:
        SceneError: the tile cannot be read, unless `tiles.unreadable` is skip.
    """
    try:
        chip = read_pixels(planned, plan, rasters)
    except SceneError as err:
        if not plan.skips_unreadable:
            raise
        return TileRead(planned, None, reason=str(err))
    top, left = planned.margin_px
    valid = chip.valid[:, top : top + planned.tile.height, left : left + planned.tile.width]
    if not valid.any():
        return TileRead(
            planned, None, reason="no valid pixel" + (" without cloud" if plan.masks_clouds else "")
        )
    share, whole = valid_share(valid, planned, plan.cell_px), float(chip.valid.all(axis=0).mean())
    finest = finest_cells(plan.cells)
    of_cells = valid_share(valid, planned, plan.cell_px // finest) if finest > 1 else None
    return TileRead(planned, mirrored(chip, planned), share, window_fraction=whole, cell_share=of_cells)


def read_pixels(planned: PlannedTile, plan: Plan, rasters: OpenRasters | None = None) -> Chip:
    """The pixels of a planned tile's window as the scenes have them, clouds as gaps where the plan says so.

    Raises:
        SceneError: the tile cannot be read.
    """
    clouded = cloud_finder(plan.bands, rasters) if plan.masks_clouds else None
    return read_chip(planned.scenes, planned.window, plan.bands, planned.fills, rasters, clouded)


def valid_share(valid: np.ndarray, planned: PlannedTile, cell_px: int) -> np.ndarray:
    """Share of each row's pixels that are valid on every date and inside the region, (h, w) float32.

    Args:
        valid: (T, H, W) bool of the tile.
    """
    usable = np.asarray(valid.all(axis=0))  # (H, W)
    h, w = usable.shape[0] // cell_px, usable.shape[1] // cell_px
    if planned.area is not None:
        transform: Affine = planned.tile.transform
        shapes = [] if planned.area.is_empty else [planned.area]
        usable &= rasterize(shapes, out_shape=usable.shape, transform=transform, fill=0).astype(bool)
    elif usable.all():
        return np.ones((h, w), np.float32)
    cells = usable[: h * cell_px, : w * cell_px].reshape(h, cell_px, w, cell_px)
    return cells.mean(axis=(1, 3), dtype=np.float32)


def read_ahead(
    batches: Sequence[list[PlannedTile]],
    read: Callable[[list[PlannedTile], OpenRasters], T],
    readers: int,
) -> Generator[T]:
    """What `read` makes of each batch, in order, made by threads before it is asked for.

    A thread reads a whole batch, for its tiles lie side by side and share blocks of the file.

    Args:
        read: is given a batch and the rasters that its thread keeps open.
    """
    of_thread, opened = threading.local(), []

    def work(batch: list[PlannedTile]) -> T:
        if not hasattr(of_thread, "rasters"):
            of_thread.rasters = OpenRasters()
            opened.append(of_thread.rasters)
        return read(batch, of_thread.rasters)

    results = ordered_map(batches, work, readers, "reader")
    try:
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
            yield from results
    finally:
        results.close()
        for rasters in opened:
            rasters.close()
