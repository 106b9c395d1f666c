"""Pieces of tiles on one grid: spooled, laid down sparse, and turned into a Cloud-Optimised GeoTIFF."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetWriter
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window

from engine.errors import RunFailure, StoreError
from engine.files import require_file_path, write_atomic, write_errors
from engine.store.schema import StoredTile
from engine.views.maps.cog import write_cog

# Cells of a map, gaps included: gaps take no room in the file, but overviews walk over all of them (34 s for 14.5
# billion of one byte). The contiguous United States at 30 m, over which the HLS Burn Scars chips lie, are 15 billion.
MAX_CELLS = 20_000_000_000
# A piece whose corner is off the grid by less than this share of a cell lies on it (float64 metres).
_ON_GRID_CELLS = 1e-3
# Blocks of all bands: GDAL keeps a note on each in memory, and looks at 60,000 a second for values. The HLS Burn Scars
# chips, which lie over the contiguous United States, have 3.6 million in patches of 480 m with 1,024 dimensions.
MAX_BLOCKS = 4_000_000
# GDAL keeps so much of the canvas in memory: the four blocks, with all bands, on which a tile lies.
_CACHE_BYTES = 256 * 1024**2
_BLOCKS_PX = (256, 128, 64, 32, 16)


@dataclass(frozen=True)
class MosaicLayout:
    """How a map's cells are stored; see `overlay.write_mosaic`."""

    level: Literal["patch", "pixel"]
    nodata: float | None
    dtype: str
    colormap: Mapping[int, tuple[int, int, int, int]] | None
    tags: Mapping[str, str]
    band_names: tuple[str, ...]
    scales: tuple[float, ...] = ()

    def transform(self, tile: StoredTile) -> Affine:
        """Cell (column, row) of a tile to CRS metres."""
        return tile.patch_transform if self.level == "patch" else tile.pixel_transform

    def shape(self, tile: StoredTile) -> tuple[int, int]:
        """Cells of a tile, down and across."""
        return (tile.h, tile.w) if self.level == "patch" else (tile.height_px, tile.width_px)

    def has_value(self, values: np.ndarray) -> np.ndarray:
        """(h, w) bool: where (bands, h, w) values are not gaps."""
        if self.nodata is None:
            return np.asarray(values[-1] > 0)
        present = ~np.isnan(values) if math.isnan(self.nodata) else values != self.nodata
        return np.asarray(present.any(axis=0))

    @property
    def empty(self) -> float:
        """Value of a cell with nothing in it."""
        return 0 if self.nodata is None else self.nodata


@dataclass(frozen=True)
class _Grid:
    crs: str
    transform: Affine
    height: int
    width: int


def write_pieces(path: Path, pieces: Iterable[tuple[StoredTile, np.ndarray]], layout: MosaicLayout) -> Path:
    """Write the map; see `overlay.write_mosaic`."""
    require_file_path(path)
    is_continuous = layout.nodata is None or layout.dtype.startswith("float")
    try:
        with (
            write_errors(path),
            tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as folder,
            rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES),
        ):
            spool, sparse = Path(folder) / "pieces", Path(folder) / "sparse.tif"
            tiles, bands = _spool(spool, pieces, layout)
            grid = _grid(tiles, layout)
            covered = sum(math.prod(layout.shape(tile)) for tile in tiles) / (grid.height * grid.width)
            _lay_down(sparse, spool, tiles, grid, bands, layout)
            write_atomic(path, lambda temporary: write_cog(sparse, temporary, is_continuous, covered))
    except RasterioError as err:  # GDAL's complaints that are not about files
        raise RunFailure(
            f"{path} could not be made ({' '.join(str(err).split())[:160]}). Check the tiles' CRS."
        ) from err
    return path


def _spool(
    spool: Path, pieces: Iterable[tuple[StoredTile, np.ndarray]], layout: MosaicLayout
) -> tuple[list[StoredTile], int]:
    """Keep the pieces in a file, one after another; their tiles, and the bands that all have."""
    tiles: list[StoredTile] = []
    bands = 0
    with spool.open("wb") as file:
        for tile, piece in pieces:
            values = piece[None] if piece.ndim == 2 else piece  # (bands, h, w)
            bands = bands or len(values)
            if values.shape != (bands, *layout.shape(tile)):
                raise StoreError(
                    f"Tile {tile.id} was given values of shape {values.shape}, and its {layout.level} grid has "
                    f"{(bands, *layout.shape(tile))}."
                )
            np.save(file, values.astype(layout.dtype, copy=False), allow_pickle=False)
            tiles.append(tile)
    if not tiles:
        raise StoreError("The map has no tiles. Choose tiles that are in the store.")
    return tiles, bands


def _unspool(file: IO[bytes], count: int) -> Iterator[np.ndarray]:
    for _ in range(count):
        yield np.load(file, allow_pickle=False)


def _grid(tiles: list[StoredTile], layout: MosaicLayout) -> _Grid:
    """The grid of the map: CRS of most tiles, finest cells, corner on a tile's own corner.

    Raises:
        StoreError: over the size limit.
    """
    crs = Counter(tile.crs for tile in tiles).most_common(1)[0][0]
    native = [layout.transform(tile) for tile in tiles if tile.crs == crs]
    step_x, step_y = min(abs(own.a) for own in native), min(abs(own.e) for own in native)
    anchor = next(own for own in native if abs(own.a) == step_x)
    bounds = np.array([_bounds(tile, crs) for tile in tiles])
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    left = math.floor((west - anchor.c) / step_x + _ON_GRID_CELLS)
    right = math.ceil((east - anchor.c) / step_x - _ON_GRID_CELLS)
    top = math.floor((anchor.f - north) / step_y + _ON_GRID_CELLS)
    bottom = math.ceil((anchor.f - south) / step_y - _ON_GRID_CELLS)
    height, width = bottom - top, right - left
    if height * width > MAX_CELLS:
        raise StoreError(
            f"The tiles lie too far apart for one map, up to {max(width * step_x, height * step_y) / 1000:,.0f} km: "
            f"{width:,} x {height:,} cells of {step_x:g} m are more than {MAX_CELLS / 1e9:g} billion. Export as npz, "
            f"or extract and map one region at a time."
        )
    transform = Affine(step_x, 0, anchor.c + left * step_x, 0, -step_y, anchor.f - top * step_y)
    return _Grid(crs, transform, height, width)


def _bounds(tile: StoredTile, crs: str) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in a CRS."""
    own = tile.pixel_transform
    west, north = own @ (0, 0)
    east, south = own @ (tile.width_px, tile.height_px)
    if tile.crs == crs:
        return west, south, east, north
    west, south, east, north = transform_bounds(tile.crs, crs, west, south, east, north)
    return west, south, east, north


def _block_px(grid: _Grid, bands: int, layout: MosaicLayout) -> int:
    """Side of the canvas's blocks: four of them, with all bands, stay in memory.

    Raises:
        StoreError: the tiles lie so far apart that even a table of the blocks does not fit.
    """
    cell_bytes = bands * np.dtype(layout.dtype).itemsize
    block = next(
        (side for side in _BLOCKS_PX if 4 * side * side * cell_bytes <= _CACHE_BYTES), _BLOCKS_PX[-1]
    )
    blocks = bands * math.ceil(grid.height / block) * math.ceil(grid.width / block)
    if blocks > MAX_BLOCKS:
        raise StoreError(
            f"The tiles lie too far apart for one raster of {bands} bands: {grid.width:,} x {grid.height:,} cells would "
            f"be {blocks / 1e6:,.0f} million blocks, and {MAX_BLOCKS / 1e6:,.0f} million fit. Export as npz, or extract "
            f"and export one region at a time."
        )
    return block


def _lay_down(
    sparse: Path, spool: Path, tiles: list[StoredTile], grid: _Grid, bands: int, layout: MosaicLayout
) -> None:
    """Every piece at its location in a tiled GeoTIFF that keeps no empty blocks."""
    block = _block_px(grid, bands, layout)
    profile = {
        "driver": "GTiff", "tiled": True, "blockxsize": block, "blockysize": block, "sparse_ok": True,
        "interleave": "band", "bigtiff": "IF_SAFER", "count": bands, "dtype": layout.dtype,
        "nodata": layout.nodata, "crs": grid.crs, "transform": grid.transform,
        "height": grid.height, "width": grid.width,
    }  # fmt: skip
    with rasterio.open(sparse, "w+", **profile) as canvas, spool.open("rb") as file:
        canvas.update_tags(**layout.tags)
        if layout.band_names:
            canvas.descriptions = layout.band_names
        if layout.scales:
            canvas.scales = layout.scales
        if layout.colormap:
            canvas.write_colormap(1, dict(layout.colormap))
        if layout.nodata is None:
            colours = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
            canvas.colorinterp = (
                (*colours[: bands - 1], ColorInterp.alpha) if bands == 4 else canvas.colorinterp
            )
        for tile, values in zip(tiles, _unspool(file, len(tiles)), strict=True):
            _put(canvas, tile, values, layout)


def _put(canvas: DatasetWriter, tile: StoredTile, values: np.ndarray, layout: MosaicLayout) -> None:
    """One piece: copied where it lies on the grid, else by nearest neighbour; gaps hide nothing."""
    window = _aligned_window(canvas, tile, layout)
    if window is None:
        window, values = _warped(canvas, tile, values, layout)
    has_value = layout.has_value(values)
    if not has_value.any():
        return
    if not has_value.all():
        values = np.where(has_value, values, canvas.read(window=window))
    canvas.write(values, window=window)


def _aligned_window(canvas: DatasetWriter, tile: StoredTile, layout: MosaicLayout) -> Window | None:
    own, grid = layout.transform(tile), canvas.transform
    height, width = layout.shape(tile)
    drift = max(abs(own.a - grid.a) * width / grid.a, abs(own.e - grid.e) * height / -grid.e)
    column, row = ~grid @ (own.c, own.f)
    off = max(abs(column - round(column)), abs(row - round(row)))
    if rasterio.crs.CRS.from_user_input(tile.crs) != canvas.crs or max(drift, off) > _ON_GRID_CELLS:
        return None
    return Window(round(column), round(row), width, height)


def _warped(
    canvas: DatasetWriter, tile: StoredTile, values: np.ndarray, layout: MosaicLayout
) -> tuple[Window, np.ndarray]:
    west, south, east, north = _bounds(tile, canvas.crs.to_wkt() if tile.crs != str(canvas.crs) else tile.crs)
    left, top = (math.floor(v) for v in ~canvas.transform @ (west, north))
    right, bottom = (math.ceil(v) for v in ~canvas.transform @ (east, south))
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, canvas.width), min(bottom, canvas.height)
    placed = np.full((len(values), bottom - top, right - left), layout.empty, dtype=layout.dtype)
    reproject(
        values, placed,
        src_transform=layout.transform(tile), src_crs=tile.crs, src_nodata=layout.nodata,
        dst_transform=canvas.transform @ Affine.translation(left, top), dst_crs=canvas.crs,
        dst_nodata=layout.nodata, resampling=Resampling.nearest, init_dest_nodata=layout.nodata is not None,
    )  # fmt: skip
    return Window(left, top, right - left, bottom - top), placed
