"""Pixels of a raster on any grid, with their gaps: read as they lie where the grids agree, resampled where they do not.

Every reading road goes through `read_window`: images and labels, aligned and resampled, whatever the raster's
orientation, and whatever marks its gaps (gap values, NaN, internal masks, .msk files, alpha bands).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.io import DatasetReader
from rasterio.warp import reproject
from rasterio.windows import Window

from engine.imagery.geobox import applied, from_lonlat, to_lonlat
from engine.imagery.projection import north_up
from engine.imagery.raster.remote_raster import read_bands

# Grids that differ by less than this share of a pixel are one grid (float64 metres, rounded by writers).
_SAME_GRID_PX = 1e-3
# Values (of all bands) read at once for a resampled window; larger ones are read in quarters: about 150 MB a reader.
_MOST_SOURCE_VALUES = 16_000_000
# Of rasters that are open, by the raster: its CRS and lattice, and where its masks are.
_LATTICES: WeakKeyDictionary[DatasetReader, tuple[str, Lattice]] = WeakKeyDictionary()
_MASKS: WeakKeyDictionary[DatasetReader, tuple[tuple[int, ...], tuple[bool, ...]]] = WeakKeyDictionary()
# Source pixels around a window that a resampling kernel may need, in target or source pixels, whichever is larger.
_RIM_PX = 3


@dataclass(frozen=True)
class Lattice:
    """A raster's pixels seen with rows from the north and columns from the west.

    Attributes:
        grid: the same pixels, north-up; None where the raster is rotated or skewed.
        is_turned: rows of the file run east-west as columns do elsewhere.
        flips: whether rows, columns (after turning) run from the south, from the east.
    """

    grid: GeoBox | None
    is_turned: bool
    flips: tuple[bool, bool]


def lattice_of(dataset: DatasetReader, crs: str) -> Lattice:
    """How a raster's pixels lie; found once for a raster that stays open."""
    known = _LATTICES.get(dataset)
    if known is not None and known[0] == crs:
        return known[1]
    transform: Affine = dataset.transform
    grid = north_up(GeoBox((dataset.height, dataset.width), transform, crs))
    is_turned = abs(transform.b) > abs(transform.a)
    down, across = (transform.d, transform.b) if is_turned else (transform.e, transform.a)
    found = Lattice(grid, is_turned, (down > 0, across < 0))
    _LATTICES[dataset] = crs, found
    return found


def agrees(dataset: DatasetReader, target: GeoBox, crs: str) -> bool:
    """Whether a grid has the raster's own pixels, so that `read_window` gives stored values without resampling."""
    return _offset(lattice_of(dataset, crs).grid, target) is not None


def read_window(
    dataset: DatasetReader,
    indexes: Sequence[int],
    target: GeoBox,
    crs: str,
    nodata: Sequence[tuple[float, ...]],
    is_nearest: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Stored values of some bands on a grid, and which pixels hold a value in all of them.

    Args:
        indexes: bands of the file, from 1.
        crs: the raster's CRS, as `Scene` and `Tile` write it.
        nodata: of each band, the stored values that mark a gap, besides NaN and the file's masks.
        is_nearest: resample by nearest neighbour (classes) instead of bilinear.

    Returns:
        (C, H, W) in the file's type where the grids agree, else float32 (float64 for classes); and (H, W) bool. What
        lies outside the raster is a gap; values in gaps mean nothing.
    """
    lattice = lattice_of(dataset, crs)
    place = _offset(lattice.grid, target)
    if lattice.grid is not None and place is not None:
        return _aligned(dataset, indexes, lattice, place, target, nodata)
    return _resampled(dataset, indexes, target, crs, nodata, is_nearest)


def read_gaps(
    dataset: DatasetReader,
    indexes: Sequence[int],
    values: np.ndarray,
    nodata: Sequence[tuple[float, ...]],
    **how: object,
) -> np.ndarray:
    """(H, W) bool: pixels that have a value in all bands.

    Args:
        values: (C, H, W) as `dataset.read(indexes, **how)` gave them.
        how: window and out_shape of that reading, for the file's mask.
    """
    valid = np.ones(values.shape[1:], bool)
    for band, gaps in zip(values, nodata, strict=True):
        for gap in gaps:
            valid &= ~_equals(band, gap)
    if np.issubdtype(values.dtype, np.floating):
        valid &= np.isfinite(values).all(axis=0)
    for mask in _file_masks(dataset, indexes[0], **how):
        valid &= mask > 0
    return valid


def _file_masks(dataset: DatasetReader, index: int, **how: object) -> Iterator[np.ndarray]:
    """The file's own masks: internal or beside it, and its alpha band; 0 where there is no value."""
    alphas, has_mask = _masks_of(dataset)
    for alpha in alphas:
        yield dataset.read(alpha, **how)
    if has_mask[index - 1]:
        yield dataset.read_masks(index, **how)


def _masks_of(dataset: DatasetReader) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Alpha bands of a raster, and of each band whether there is a mask of the file; found once."""
    if dataset not in _MASKS:
        # GDAL counts an alpha band as a mask in files of two or four bands only.
        alphas = tuple(i for i, kind in enumerate(dataset.colorinterp, 1) if kind == ColorInterp.alpha)
        own = (MaskFlags.per_dataset in f and MaskFlags.alpha not in f for f in dataset.mask_flag_enums)
        _MASKS[dataset] = alphas, tuple(own)
    return _MASKS[dataset]


def _equals(band: np.ndarray, gap: float) -> np.ndarray:
    """Where a band holds a gap value; a float32 band holds the float32 next to it (-3.4e38)."""
    if band.dtype == np.float32:
        return band == np.float32(gap)
    return band == gap


def _offset(grid: GeoBox | None, target: GeoBox) -> tuple[int, int] | None:
    """Row and column of the target's first pixel on the lattice; None where the grids do not agree."""
    if grid is None or grid.crs != target.crs:
        return None
    here, there = grid.transform, target.transform
    side, most = abs(here.a), max(target.shape)
    if (
        abs(here.a - there.a) * most > _SAME_GRID_PX * side
        or abs(here.e - there.e) * most > _SAME_GRID_PX * side
    ):
        return None
    column, row = (there.c - here.c) / here.a, (there.f - here.f) / here.e
    if abs(column - round(column)) > _SAME_GRID_PX or abs(row - round(row)) > _SAME_GRID_PX:
        return None
    return round(row), round(column)


def _aligned(
    dataset: DatasetReader, indexes: Sequence[int], lattice: Lattice, place: tuple[int, int], target: GeoBox,
    nodata: Sequence[tuple[float, ...]],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    assert lattice.grid is not None
    (row, column), (height, width) = place, target.shape
    rows, columns = lattice.grid.shape
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + height, rows), min(column + width, columns)
    values = np.zeros((len(indexes), height, width), dtype=dataset.dtypes[indexes[0] - 1])
    valid = np.zeros((height, width), bool)
    if right <= left or bottom <= top:
        return values, valid
    # From the north-up lattice to the file's own rows and columns.
    first_row = rows - bottom if lattice.flips[0] else top
    first_column = columns - right if lattice.flips[1] else left
    down, across = bottom - top, right - left
    window = (
        Window(first_row, first_column, down, across)
        if lattice.is_turned
        else Window(first_column, first_row, across, down)
    )
    read = read_bands(dataset, indexes, window)
    known = read_gaps(dataset, indexes, read, nodata, window=window)
    if lattice.is_turned:
        read, known = read.swapaxes(1, 2), known.T
    if read.shape == values.shape and not any(lattice.flips):
        return read, known
    flips = tuple(slice(None, None, -1) if is_flipped else slice(None) for is_flipped in lattice.flips)
    inside = np.s_[top - row : bottom - row, left - column : right - column]
    values[(slice(None), *inside)] = read[(slice(None), *flips)]
    valid[inside] = known[flips]
    return values, valid


def _resampled(
    dataset: DatasetReader, indexes: Sequence[int], target: GeoBox, crs: str, nodata: Sequence[tuple[float, ...]],
    is_nearest: bool,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    kind = np.float64 if is_nearest else np.float32
    values = np.full((len(indexes), *target.shape), np.nan, kind)
    window = _source_window(dataset, target, crs)
    if window is None:
        return np.zeros_like(values), np.zeros(target.shape, bool)
    if window.width * window.height * len(indexes) > _MOST_SOURCE_VALUES and min(target.shape) > 1:
        return _in_quarters(dataset, indexes, target, crs, nodata, is_nearest)
    read = read_bands(dataset, indexes, window)
    known = read_gaps(dataset, indexes, read, nodata, window=window)
    source = read.astype(kind)
    source[:, ~known] = np.nan
    transform = dataset.transform @ Affine.translation(window.col_off, window.row_off)
    grids = {
        "src_transform": transform, "src_crs": CRS.from_user_input(crs), "dst_transform": target.transform,
        "dst_crs": CRS.from_user_input(str(target.crs)), "num_threads": 1, **_kernel(dataset, target, crs),
    }  # fmt: skip
    reproject(
        source, values, src_nodata=np.nan, dst_nodata=np.nan,
        resampling=Resampling.nearest if is_nearest else Resampling.bilinear, **grids,
    )  # fmt: skip
    # A pixel whose middle lies in a gap is a gap, whatever is beside it.
    inside = np.zeros(target.shape, np.uint8)
    reproject(
        known.astype(np.uint8), inside, src_nodata=255, dst_nodata=0, resampling=Resampling.nearest, **grids
    )
    valid = (inside == 1) & np.isfinite(values).all(axis=0)
    return np.where(valid, values, 0), valid


def _kernel(dataset: DatasetReader, target: GeoBox, crs: str) -> dict[str, float]:
    """Target pixels a source pixel, along the target's axes, for the size of the resampling kernel.

    GDAL else finds it from the part of a window that lies on the raster: pixels would depend on the window
    (GDALWarpOptions, XSCALE). At the middle of the raster it is the same for all windows.
    """
    x, y = dataset.transform @ (dataset.width / 2, dataset.height / 2)
    if str(target.crs) != crs:
        x, y = from_lonlat(str(target.crs)).transform(*to_lonlat(crs).transform(x, y))
    column, row = ~target.transform @ (float(x), float(y))
    middle = np.array([column, column + 1, column]), np.array([row, row, row + 1])
    columns, rows = _in_source(dataset, target, crs, *middle)
    across = np.hypot(columns[1] - columns[0], rows[1] - rows[0])
    down = np.hypot(columns[2] - columns[0], rows[2] - rows[0])
    if not (np.isfinite([across, down]).all() and across > 0 and down > 0):
        return {}
    return {"XSCALE": float(f"{1 / across:.3g}"), "YSCALE": float(f"{1 / down:.3g}")}


def _in_quarters(
    dataset: DatasetReader, indexes: Sequence[int], target: GeoBox, crs: str, nodata: Sequence[tuple[float, ...]],
    is_nearest: bool,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """A window whose source is too large to be read at once."""
    height, width = target.shape
    halves = [
        (slice(0, height // 2), slice(height // 2, height)),
        (slice(0, width // 2), slice(width // 2, width)),
    ]
    rows = []
    for down in halves[0]:
        parts = [
            _resampled(dataset, indexes, target[down, across], crs, nodata, is_nearest)
            for across in halves[1]
        ]
        rows.append([np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)])
    values, valid = (np.concatenate(part, axis=-2) for part in zip(*rows, strict=True))
    return values, valid


def _source_window(dataset: DatasetReader, target: GeoBox, crs: str) -> Window | None:
    """The part of a raster that a resampled window needs, None where they share nothing."""
    height, width = target.shape
    column, row = np.meshgrid(np.linspace(0, width, 9), np.linspace(0, height, 9))
    columns, rows = _in_source(dataset, target, crs, column.ravel(), row.ravel())
    if not (np.isfinite(columns).all() and np.isfinite(rows).all()):
        return Window(0, 0, dataset.width, dataset.height)
    step = max(np.ptp(columns) / width, np.ptp(rows) / height, 1.0)
    rim = _RIM_PX * step
    left, right = max(0, int(columns.min() - rim)), min(dataset.width, int(columns.max() + rim) + 1)
    top, bottom = max(0, int(rows.min() - rim)), min(dataset.height, int(rows.max() + rim) + 1)
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _in_source(
    dataset: DatasetReader, target: GeoBox, crs: str, column: np.ndarray, row: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Places on the target, in its pixels, as columns and rows of a raster."""
    if str(target.crs) == crs:
        return applied(~dataset.transform, *applied(target.transform, column, row))
    lon, lat = to_lonlat(str(target.crs)).transform(*applied(target.transform, column, row))
    x, y = np.asarray(lon), np.asarray(lat)
    if CRS.from_user_input(crs).is_projected:
        x, y = from_lonlat(crs).transform(lon, lat)
    else:  # longitudes on the raster's side of the date line, also where it counts to 360
        middle = (dataset.transform @ (dataset.width / 2, dataset.height / 2))[0]
        x = (x - middle + 180) % 360 - 180 + middle
    return applied(~dataset.transform, np.asarray(x), np.asarray(y))
