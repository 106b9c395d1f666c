"""TESSERA's NPY files: 8-bit numbers, their scales in a second file, and a land mask that says where they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from odc.geo.geobox import GeoBox

from engine.errors import StoreError
from engine.imagery.projection import metric_grid
from engine.imagery.raster.rasters import open_raster
from engine.store.products.pixel_grid import Box, PixelGrid

_SCALES = "_scales"
# Where the publisher keeps the masks of all years, beside the folders of the embeddings.
_MASKS = "global_0.1_degree_tiff_all"
_FOLDERS_ABOVE = 4


@contextmanager
def opened(path: Path) -> Iterator[PixelGrid]:
    """The embeddings of a grid_LON_LAT.npy, read from disk window by window.

    Raises:
        StoreError: the scales or the land mask are missing, or of other rows and columns.
        SceneError: the land mask has no place on Earth.
    """
    if path.stem.endswith(_SCALES):
        raise StoreError(
            f"{path.name} holds the scales of embeddings. Give the file without {_SCALES} in its name."
        )
    beside = path.with_name(f"{path.stem}{_SCALES}.npy")
    if not beside.is_file():
        raise StoreError(
            f"{path.name} has no {beside.name} beside it, without which its numbers mean nothing. Fetch that file too."
        )
    values, scales = _array(path), _array(beside)
    require_shapes(values.shape, values.dtype, scales.shape, path.name, beside.name)
    grid = _grid(path, values.shape[:2])
    yield pixel_grid(
        grid, values.shape[2], lambda box: values[_slices(box)], lambda box: scales[_slices(box)]
    )


def require_shapes(
    values: tuple[int, ...], dtype: np.dtype, scales: tuple[int, ...], name: str, scales_name: str
) -> None:
    """Check that numbers and scales are of a form that is read, and fit together.

    Raises:
        StoreError: they are not, or do not.
    """
    if len(values) != 3 or dtype != np.int8:
        raise StoreError(
            f"{name} has the shape {values} and the type {dtype}: (rows, columns, dimensions) int8 is read."
        )
    if scales not in (values[:2], values):
        raise StoreError(
            f"{scales_name} has the shape {scales}, and {name} {values}. Fetch both files again."
        )


def pixel_grid(
    grid: GeoBox, dim: int, values: Callable[[Box], np.ndarray], scales: Callable[[Box], np.ndarray]
) -> PixelGrid:
    """The embeddings of a tile, however its numbers and its scales are read."""

    def read(box: Box) -> tuple[np.ndarray, np.ndarray]:
        scale = scales(box).astype(np.float32)
        with np.errstate(invalid="ignore"):
            decoded = values(box).astype(np.float32) * (scale[..., None] if scale.ndim == 2 else scale)
        return decoded, np.isfinite(decoded).all(axis=-1) & (decoded != 0).any(axis=-1)

    return PixelGrid(
        grid, dim, read, (), (1.0,) * dim, (0.0,) * dim, "a scale that is NaN, infinite or zero", True, (), {}, "v times its scale"
    )  # fmt: skip


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box.top, box.bottom), slice(box.left, box.right)


def _array(path: Path) -> np.ndarray:
    try:
        return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as err:
        raise StoreError(
            f"{path.name} cannot be read as NPY ({' '.join(str(err).split())[:80]}). Fetch it again."
        ) from err


def _grid(path: Path, shape: tuple[int, ...]) -> GeoBox:
    """The grid of the land mask, which has the rows and columns of the embeddings."""
    folders = [path.parent, *(one / _MASKS for one in list(path.parents)[:_FOLDERS_ABOVE])]
    masks = [folder / f"{path.stem}{ending}" for folder in folders for ending in (".tiff", ".tif")]
    mask = next((one for one in masks if one.is_file()), None)
    if mask is None:
        raise StoreError(
            f"{path.name} has no land mask {path.stem}.tiff beside it, or in {_MASKS} above: nothing else tells where it lies. "
            f"Fetch the mask too."
        )
    return mask_grid(mask, mask.name, path.name, shape)


def mask_grid(mask: Path, mask_name: str, name: str, shape: tuple[int, ...]) -> GeoBox:
    """The grid of a land mask that has the rows and columns of the embeddings.

    Raises:
        StoreError: it has others.
    """
    with open_raster(mask) as dataset:
        placed = metric_grid(dataset, mask_name)
        if placed.note or dataset.transform.e > 0 or (dataset.height, dataset.width) != tuple(shape):
            raise StoreError(
                f"The land mask {mask_name} has {dataset.height} x {dataset.width} pixels and {name} {shape[0]} x {shape[1]}, or it "
                f"is not north-up in metres. Fetch both again."
            )
        return placed.grid
