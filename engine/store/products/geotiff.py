"""A GeoTIFF of embeddings with a band a dimension, read window by window: also south-up, in degrees or rotated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags, Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from engine.errors import StoreError
from engine.imagery.projection import metric_grid
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.store.products.own_exports.tags import is_own_map
from engine.store.products.pixel_grid import Box, PixelGrid, Read

_LEAST_BANDS = 8


@contextmanager
def opened(path: Path) -> Iterator[PixelGrid]:
    """The embeddings in a GeoTIFF.

    Raises:
        SceneError: it cannot be opened, or has no place on Earth.
        StoreError: it is no raster of embeddings.
    """
    with open_raster(path) as dataset:
        _require_embeddings(dataset, path)
        placed = metric_grid(dataset, path.name)
        a, b, _, d, e, _ = dataset.transform[:6]
        if not placed.note and a > 0 and b == d == 0:
            yield _grid(dataset, placed.grid, _reader(dataset, e > 0, path), ())
            return
        note = f"{placed.note.removesuffix(' (bilinear).') or f'{path.name} is turned'}: each pixel of the grid in metres takes the nearest embedding."
        with WarpedVRT(
            dataset, crs=str(placed.grid.crs), transform=placed.grid.transform, width=placed.grid.shape[1],
            height=placed.grid.shape[0], resampling=Resampling.nearest, nodata=_fill(dataset),
        ) as warped:  # fmt: skip
            yield _grid(dataset, placed.grid, _reader(warped, False, path), (note,))


def _require_embeddings(dataset: DatasetReader, path: Path) -> None:
    kinds = set(dataset.dtypes)
    if dataset.count < _LEAST_BANDS and not is_own_map(dataset.tags(), dataset.descriptions):
        raise StoreError(
            f"{path.name} has {dataset.count} bands: an embedding has a band a dimension, {_LEAST_BANDS} or more. Extract its "
            f"embeddings with a backbone, if it is imagery."
        )
    if len(kinds) > 1 or kinds & {"complex_int16", "complex64", "complex128"}:
        raise StoreError(
            f"{path.name} has bands of the types {', '.join(sorted(kinds))}. Give one of real numbers of one type."
        )


def _grid(dataset: DatasetReader, grid: GeoBox, read: Read, notes: tuple[str, ...]) -> PixelGrid:
    is_integer = np.issubdtype(np.dtype(dataset.dtypes[0]), np.integer)
    stated = _nodata(dataset)
    nodata = _in_words(stated, is_integer) + (", and the file's mask" if _has_mask(dataset) else "")
    return PixelGrid(
        grid, dataset.count, read, tuple(name or "" for name in dataset.descriptions), dataset.scales, dataset.offsets,
        nodata, is_integer, notes, {key.lower(): value for key, value in dataset.tags().items()},
    )  # fmt: skip


def _in_words(nodata: float | None, is_integer: bool) -> str:
    """What marks a gap."""
    stated = None if nodata is None or np.isnan(nodata) else f"{nodata:g} in all bands"
    if is_integer:
        return stated or "none stated"
    return f"NaN in a band, or {f'{stated}, or ' if stated else ''}zero in all bands"


def _nodata(dataset: DatasetReader) -> float | None:
    """What marks a gap; -128 in 8-bit files that state nothing, for a symmetric quantisation leaves it free."""
    if dataset.nodata is None and dataset.dtypes[0] == "int8":
        return -128.0
    return None if dataset.nodata is None else float(dataset.nodata)


def _has_mask(dataset: DatasetReader) -> bool:
    """Whether a mask inside the file or beside it (.msk) says which pixels are gaps."""
    return all(
        MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags for flags in dataset.mask_flag_enums
    )


def _fill(dataset: DatasetReader) -> float | None:
    """What stands where a warped raster has no pixel: the file's nodata, NaN for floats; else zero."""
    if _nodata(dataset) is not None:
        return _nodata(dataset)
    return None if np.issubdtype(np.dtype(dataset.dtypes[0]), np.integer) else float("nan")


def _reader(dataset: DatasetReader, is_south_up: bool, path: Path) -> Read:
    """Reads a box counted from the north, whichever end the file's rows begin at."""
    nodata, is_masked = _nodata(dataset), _has_mask(dataset)

    def read(box: Box) -> tuple[np.ndarray, np.ndarray]:
        first = dataset.height - box.bottom if is_south_up else box.top
        window = Window(box.left, first, box.right - box.left, box.bottom - box.top)
        with damage_told(path, f"the window at row {box.top}, column {box.left}"):
            values = np.moveaxis(dataset.read(window=window), 0, -1)  # (h, w, D)
            mask = dataset.read_masks(1, window=window) > 0 if is_masked else np.ones(values.shape[:2], bool)
        step = -1 if is_south_up else 1
        values = np.ascontiguousarray(values[::step])
        return values, _is_valid(values, nodata) & mask[::step]

    return read


def _is_valid(values: np.ndarray, nodata: float | None) -> np.ndarray:
    """(h, w) bool; a gap has nodata in every band, or for floats a NaN in one or zero in all."""
    if np.issubdtype(values.dtype, np.integer):
        return np.ones(values.shape[:2], bool) if nodata is None else (values != nodata).any(axis=-1)
    valid = np.isfinite(values).all(axis=-1) & (values != 0).any(axis=-1)
    if nodata is not None and np.isfinite(nodata):
        valid &= (values != values.dtype.type(nodata)).any(axis=-1)
    return valid
