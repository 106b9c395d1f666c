"""A Cloud-Optimised GeoTIFF of embeddings on another computer: its header, and the blocks that a region needs of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from odc.geo.geobox import GeoBox
from rasterio.io import DatasetReader
from rasterio.transform import Affine
from rasterio.windows import Window

from engine.imagery.projection import metric_grid
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.region import Region
from engine.imagery.remote.fetching import cached
from engine.imagery.remote.remote_file import ENDING, write_remote
from engine.store.catalogues.lists.listed import ListedFile, ListedItem
from engine.store.catalogues.remote_files.placed import Bytes, Placed, Ranges, whole
from engine.store.products.pixel_grid import Box, box_of
from engine.workspace import runs_root


def here(file: ListedFile) -> Path:
    """The small file on this machine by which a raster on another computer is opened; its name ends like the raster's own."""
    address = file.raster.address
    folder = runs_root() / "cache" / "embeddings" / hashlib.sha256(address.encode()).hexdigest()[:16]
    path = folder / f"{file.name}{ENDING}"
    if not path.is_file():
        write_remote(path, file.raster, 0.0)
    return path


def placed_cog(item: ListedItem, region: Region) -> Placed:
    """The pixels of a GeoTIFF that a region takes, and the bytes of its blocks.

    Raises:
        RegionError: they do not overlap.
        RemoteError, SceneError: its header cannot be had, or it has no place on Earth.
    """
    file = item.files[0]
    path = here(file)
    with open_raster(path) as dataset, damage_told(path, "its header"):
        grid = metric_grid(dataset, file.name)
        box = box_of(grid.grid, region, file.name)
        needed = tuple(whole(item)) or (Bytes(file.raster, _ranges(dataset, grid.grid, box, file)),)
        return Placed(item, grid.grid, box, box.rows, dataset.count, needed)


def _ranges(dataset: DatasetReader, grid: GeoBox, box: Box, file: ListedFile) -> Ranges:
    """The blocks of all bands below a box; of a raster that is resampled, all of the file."""
    window = _window(dataset, grid, box)
    if window is None:
        return ((0, cached(file.raster).size),)
    height, width = dataset.block_shapes[0]
    rows = range(int(window.row_off) // height, -(-int(window.row_off + window.height) // height))
    columns = range(int(window.col_off) // width, -(-int(window.col_off + window.width) // width))
    bands = range(1, dataset.count + 1) if dataset.profile.get("interleave") == "band" else range(1, 2)
    found = [_block(dataset, band, row, column) for band in bands for row in rows for column in columns]
    return tuple(sorted({one for one in found if one is not None}))


def _block(dataset: DatasetReader, band: int, row: int, column: int) -> tuple[int, int] | None:
    """First byte and end of a block, as GDAL's driver tells them (metadata domain TIFF); None where it was never written."""
    first = dataset.get_tag_item(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=band)
    size = dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=band)
    return None if first is None or size is None else (int(first), int(first) + int(size))


def _window(dataset: DatasetReader, grid: GeoBox, box: Box) -> Window | None:
    """The rows and columns of the file below a box counted from the north; None where the file is resampled."""
    a, b, _, d, e, _ = dataset.transform[:6]
    is_as_stored = (
        a > 0
        and b == d == 0
        and np.isclose(abs(e), abs(Affine(*grid.transform[:6]).e))
        and np.isclose(a, grid.transform.a)
    )
    if not is_as_stored or grid.shape != (dataset.height, dataset.width):
        return None
    first = dataset.height - box.bottom if e > 0 else box.top
    return Window(box.left, first, box.right - box.left, box.bottom - box.top)
