"""Label rasters: which of their pixels are known, and their values on the grid of a tile.

A pixel is missing where the raster's internal mask, mask file or alpha band takes it out, where it has the declared nodata
value, where it is no finite number, and beyond the raster: the gaps of images, by the same function. Labels are taken at
exact pixel centres instead of through `read_window`, which resamples within an eighth of a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from engine.errors import LabelError
from engine.imagery.raster.rasters import in_short, open_raster
from engine.imagery.raster.window import read_gaps
from engine.labels.reading import LabelReading
from engine.store.schema import StoredTile

# Pixels of a label raster that are read at once; a raster far finer than the tile is read in strips of the tile.
_MOST_PIXELS = 16_000_000
# Grids whose corners and pixels differ by less than this share of a pixel are one.
_SAME_GRID_PX = 1e-2


def check_label_raster(path: Path, reading: LabelReading) -> None:
    """Check that a raster can be labels: one band, with a place on Earth, and no values but those of the classes.

    Raises:
        LabelError: absent, without CRS or geotransform, of several bands, damaged, or with other values.
    """
    with _labels(path) as dataset:
        for _, window in dataset.block_windows(1):
            strange = reading.strange(*_read(dataset, window, reading))
            if strange is not None:
                raise LabelError(
                    f"{path.name} has the value {strange:g}, which is no label: labels are {reading.words}. "
                    f"Recode it, declare it as the raster's nodata, or give it a class."
                )


def read_label_raster(path: Path, tile: StoredTile, reading: LabelReading) -> np.ndarray:
    """Labels of a tile's pixels: those at the pixels' centres, which is nearest neighbour on another grid.

    Returns:
        (height_px, width_px) labels as the reading has them.

    Raises:
        LabelError: the raster cannot be read.
    """
    with _labels(path) as dataset:
        return reading.labels_of(*_sampled(dataset, *_centres(dataset, tile), reading))


def require_overlap(path: Path, tiles: Sequence[StoredTile]) -> None:
    """Check that a label raster can lie on some tile, before its pixels are looked at.

    Raises:
        LabelError: no tile comes near it, or its CRS is not of the Earth.
    """
    if not any(meets(path, tiles)):
        raise LabelError(
            f"The label raster {path.name} covers none of the {len(tiles)} tile(s). Check that it lies where they do."
        )


def meets(path: Path, tiles: Sequence[StoredTile]) -> list[bool]:
    """For each tile whether the rectangle around a label raster comes near it.

    Raises:
        LabelError: its CRS is not of the Earth.
    """
    with _labels(path) as dataset:
        around = {crs: _bounds_in(dataset, crs) for crs in dict.fromkeys(tile.crs for tile in tiles)}
    found = []
    for tile in tiles:
        west, south, east, north = around[tile.crs]
        x, y = np.array([
            tile.pixel_transform @ (c * tile.width_px, r * tile.height_px) for c in (0, 1) for r in (0, 1)
        ]).T  # fmt: skip
        found.append(bool(x.max() > west and x.min() < east and y.max() > south and y.min() < north))
    return found


def grid_note(path: Path, tiles: Sequence[StoredTile]) -> str:
    """What is to be said where a raster lies on another grid than some tiles; empty where it does not."""
    with _labels(path) as dataset:
        own, every = _crs(dataset), {tile.crs for tile in tiles}
        others = sorted(
            crs for crs in every if not own.equals(CRS.from_user_input(crs), ignore_axis_order=True)
        )
        if others:
            return (
                f"The labels of {path.name} are in {own.name} and are brought to {', '.join(map(_crs_name, others))} by "
                f"nearest neighbour."
            )
        if not all(_on_one_grid(dataset, tile) for tile in tiles):
            return f"The labels of {path.name} lie on another grid than the pixels and are taken by nearest neighbour."
    return ""


def nodata_note(path: Path, reading: LabelReading) -> str:
    """What is to be said where a raster declares the value of a class as nodata; empty where it does not."""
    with _labels(path) as dataset:
        for value, title in zip(reading.values, reading.titles, strict=True):
            if dataset.nodata == value:
                return (
                    f"{path.name} declares {value} as its nodata value, which is the class {title}: those pixels are taken "
                    f"as {title}. Where they are not, give them another value."
                )
    return ""


@contextmanager
def _labels(path: Path) -> Iterator[DatasetReader]:
    if not path.is_file():
        raise LabelError(f"There is no label raster: no file at {path}. Check labels.path.")
    with open_raster(path) as dataset:
        step = "Assign it, e.g. with gdal_edit, and try again."
        if dataset.crs is None:
            raise LabelError(f"The label raster {path.name} has no CRS. {step}")
        if dataset.transform.is_identity:
            raise LabelError(f"The label raster {path.name} has no geotransform. {step}")
        bands = [one for one in dataset.colorinterp if one != ColorInterp.alpha]
        if len(bands) != 1:
            raise LabelError(
                f"{path.name} has {len(bands)} bands, and labels are one. Keep the band that holds them."
            )
        try:
            yield dataset
        except ProjError as err:
            raise LabelError(
                f"The CRS of the label raster {path.name} cannot be brought to that of the pixels ({in_short(err)}). "
                f"Reproject it, e.g. with gdalwarp."
            ) from err
        except RasterioError as err:
            raise LabelError(
                f"The label raster {path.name} is damaged or cut short ({in_short(err)}). Copy or download it again."
            ) from err


def _read(dataset: DatasetReader, window: Window, reading: LabelReading) -> tuple[np.ndarray, np.ndarray]:
    """Values of a window and which of them are known.

    A class whose value is declared as nodata, a widespread slip, could not be learned: it stays a class. Numbers are in the
    unit that the raster's scale and offset give.
    """
    values = dataset.read(1, window=window)
    is_gap = dataset.nodata is not None and dataset.nodata not in reading.values
    gaps = (float(dataset.nodata),) if is_gap else ()
    known = read_gaps(dataset, [1], values[None], [gaps], window=window)
    if not reading.values and (dataset.scales[0], dataset.offsets[0]) != (1.0, 0.0):  # numbers, stored scaled
        values = values * dataset.scales[0] + dataset.offsets[0]
    return values, known


def _centres(dataset: DatasetReader, tile: StoredTile) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of the raster's pixel at each pixel centre of a tile, (H, W) each; -1 where there is none."""
    row, column = np.mgrid[0 : tile.height_px, 0 : tile.width_px] + 0.5
    grid = tile.pixel_transform
    x, y = grid.a * column + grid.b * row + grid.c, grid.d * column + grid.e * row + grid.f
    own, crs = _crs(dataset), CRS.from_user_input(tile.crs)
    if not own.equals(crs, ignore_axis_order=True):
        x, y = Transformer.from_crs(crs, own, always_xy=True).transform(x, y)
    back = ~dataset.transform
    columns, rows = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
    inside = (
        (columns >= 0) & (columns < dataset.width) & (rows >= 0) & (rows < dataset.height)
    )  # False for NaN
    return np.where(inside, columns, -1).astype(np.int64), np.where(inside, rows, -1).astype(np.int64)


def _sampled(
    dataset: DatasetReader, columns: np.ndarray, rows: np.ndarray, reading: LabelReading
) -> tuple[np.ndarray, np.ndarray]:
    """Values at some pixels and which of them are known, in the pixels' shape."""
    inside = columns >= 0
    if not inside.any():
        return np.zeros(columns.shape, dataset.dtypes[0]), inside
    left, right = columns[inside].min(), columns[inside].max() + 1
    top, bottom = rows[inside].min(), rows[inside].max() + 1
    if (right - left) * (bottom - top) > _MOST_PIXELS and len(columns) > 1:
        half = len(columns) // 2
        parts = [
            _sampled(dataset, columns[part], rows[part], reading) for part in (slice(half), slice(half, None))
        ]
        return np.concatenate([one for one, _ in parts]), np.concatenate([one for _, one in parts])
    values, known = _read(dataset, Window(left, top, right - left, bottom - top), reading)
    at = np.where(inside, rows - top, 0), np.where(inside, columns - left, 0)
    return values[at], known[at] & inside


def _on_one_grid(dataset: DatasetReader, tile: StoredTile) -> bool:
    between = ~dataset.transform @ tile.pixel_transform  # a tile's pixels in those of the raster
    turned = (between.a - 1, between.b, between.d, between.e - 1)
    largest = max(tile.width_px, tile.height_px)
    shift = max(abs(between.c - round(between.c)), abs(between.f - round(between.f)))
    return bool(max(map(abs, turned)) * largest < _SAME_GRID_PX and shift < _SAME_GRID_PX)


def _bounds_in(dataset: DatasetReader, crs: str) -> tuple[float, float, float, float]:
    """West, south, east, north of a raster in a CRS, its edges followed in steps; infinite where they leave the CRS."""
    steps = np.linspace(0, 1, 21)
    edges = [(steps, 0 * steps), (steps, 0 * steps + 1), (0 * steps, steps), (0 * steps + 1, steps)]
    column, row = np.concatenate(edges, axis=1) * [[dataset.width], [dataset.height]]
    grid, own = dataset.transform, _crs(dataset)
    x, y = grid.a * column + grid.b * row + grid.c, grid.d * column + grid.e * row + grid.f
    x, y = Transformer.from_crs(own, CRS.from_user_input(crs), always_xy=True).transform(x, y)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return -np.inf, -np.inf, np.inf, np.inf
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _crs(dataset: DatasetReader) -> CRS:
    return CRS.from_wkt(dataset.crs.to_wkt())


def _crs_name(crs: str) -> str:
    return str(CRS.from_user_input(crs).name)
