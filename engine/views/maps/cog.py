"""A sparse raster becomes a Cloud-Optimised GeoTIFF: with overviews where walking over the gaps is affordable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling

from engine.errors import RunFailure

# Overviews walk over all cells, gaps too: 34 s for 14.5 billion of one byte by the nearest cell, 70 s for 2 billion
# means of four bytes. Of a large raster that is mostly gaps few blocks are in the file: it is read fast without them.
_FEW_CELLS = {"NEAREST": 20_000_000_000, "AVERAGE": 500_000_000}
_MOSTLY_GAPS = 0.05
# One block of all bands stays below this, so that many bands do not fill the memory. GDAL's COG driver makes no block
# smaller than 128 x 128 and (before GDAL 3.11) none of a single band.
_BLOCK_BYTES = 16_000_000
_COG_BLOCKS_PX = (512, 256, 128)
_BAND_BLOCK_PX = 256
# The coarsest overview is no larger than a block.
_OVERVIEW_PX = 256


def write_cog(sparse: Path, out: Path, is_continuous: bool, covered: float) -> None:
    """Copy a tiled GeoTIFF as a Cloud-Optimised one; blocks without a value take no room.

    With more bands than fit into a small block together, each band has blocks of its own.

    Args:
        is_continuous: overviews hold means, otherwise the nearest cell.
        covered: share of the cells that tiles lie on, 0 to 1 (above where tiles overlap).

    Raises:
        RunFailure: what was written does not open again.
    """
    with rasterio.open(sparse) as source:
        bands, dtype, cells = source.count, source.dtypes[0], source.width * source.height
    cell_bytes = bands * np.dtype(dtype).itemsize
    options: dict[str, Any] = {
        "compress": "DEFLATE",
        "bigtiff": "IF_SAFER",
        "sparse_ok": "YES",
        "num_threads": "2",
    }
    resampling = "AVERAGE" if is_continuous else "NEAREST"
    has_overviews = covered >= _MOSTLY_GAPS or cells * bands <= _FEW_CELLS[resampling]
    block = next((side for side in _COG_BLOCKS_PX if side * side * cell_bytes <= _BLOCK_BYTES), None)
    if block is not None and has_overviews:
        options |= {"level": 6, "blocksize": block, "overview_resampling": resampling}
        options |= {"predictor": "FLOATING_POINT"} if dtype.startswith("float") else {}
        rasterio.shutil.copy(sparse, out, driver="COG", **options)
    else:
        if has_overviews:
            _build_overviews(sparse, Resampling[resampling.lower()])
        options |= {"predictor": 3} if dtype.startswith("float") else {}
        side = block or _BAND_BLOCK_PX
        rasterio.shutil.copy(
            sparse, out, driver="GTiff", tiled=True, blockxsize=side, blockysize=side, zlevel=6,
            interleave="pixel" if block else "band", copy_src_overviews=has_overviews, **options,
        )  # fmt: skip
    with rasterio.open(out) as written:  # a COG that lacks its end does not open
        if written.count != bands:
            raise RunFailure(f"{out} holds {written.count} of {bands} bands after it was written. Try again.")


def _build_overviews(sparse: Path, resampling: Resampling) -> None:
    """Halve the raster inside its own file until it is no larger than a block."""
    with rasterio.open(sparse, "r+") as canvas:
        longest, factors = max(canvas.width, canvas.height), list[int]()
        while longest / (factors[-1] if factors else 1) > _OVERVIEW_PX:
            factors.append(2 * (factors[-1] if factors else 1))
        if factors:
            canvas.build_overviews(factors, resampling)
