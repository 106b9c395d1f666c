"""What a raster file holds before its bands are understood, and the limits of one that somebody else sends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.enums import ColorInterp, Interleaving
from rasterio.io import DatasetReader

from engine.errors import SceneError
from engine.imagery.cubes.opening import cube_of, is_cube
from engine.imagery.raster.rasters import open_raster

# GDAL unpacks a block as a whole: a file of a few kilobytes may declare one of many gigabytes.
_LARGEST_BLOCK_BYTES = 512_000_000
_MOST_BANDS = 500


@dataclass(frozen=True)
class RasterLayout:
    """What a raster's header says.

    Attributes:
        bands: descriptions as the file states them, "" where it states none; "alpha" for an alpha band.
        dtypes: of each band.
        nodata: of each band.
        unpacked_bytes: of all its pixels.
    """

    bands: tuple[str, ...]
    dtypes: tuple[str, ...]
    nodata: tuple[float | None, ...]
    width: int
    height: int
    unpacked_bytes: int

    @property
    def indexes(self) -> tuple[int, ...]:
        """Of the bands that hold pixels and no mask, from 1."""
        return tuple(index for index, name in enumerate(self.bands, 1) if name != "alpha")


def layout_of(path: Path) -> RasterLayout:
    """The layout of a raster; of a cube, that of each of its dates.

    Raises:
        SceneError: it cannot be opened.
    """
    dates = cube_of(path).images if is_cube(path) else 1
    with open_raster(path) as dataset:
        names = tuple(
            "alpha" if kind == ColorInterp.alpha else (text or "").strip()
            for text, kind in zip(dataset.descriptions, dataset.colorinterp, strict=True)
        )
        own = slice(dataset.count // dates)
        return RasterLayout(
            names[own], tuple(dataset.dtypes)[own], tuple(dataset.nodatavals)[own], dataset.width, dataset.height,
            dataset.width * dataset.height * _pixel_bytes(dataset),
        )  # fmt: skip


def require_bounded(path: Path, most_bytes: int) -> None:
    """Refuse a raster that unpacks to more than it may, as a whole or a block of it, without unpacking anything.

    Raises:
        SceneError: it cannot be opened, or is too large.
    """
    with open_raster(path) as dataset:
        whole = dataset.width * dataset.height * _pixel_bytes(dataset)
        if dataset.count > _MOST_BANDS:
            raise SceneError(
                f"{path.name} has {dataset.count:,} bands, and at most {_MOST_BANDS} are taken. Send the bands that you mean."
            )
        if whole > most_bytes:
            raise SceneError(
                f"{path.name} unpacks to {whole / 1e9:,.1f} GB, and a file that is sent may unpack to {most_bytes / 1e9:,.1f} GB. "
                f"Cut it, or put it into a folder of the server and choose it there."
            )
        if _block_bytes(dataset) > _LARGEST_BLOCK_BYTES:
            raise SceneError(
                f"{path.name} is stored in blocks of {_block_bytes(dataset) / 1e9:,.1f} GB, each of which has to be unpacked as a whole. "
                f"Write it in tiles, e.g. with gdal_translate -co TILED=YES."
            )


def _block_bytes(dataset: DatasetReader) -> int:
    """Of the largest block, with all bands where they lie pixel by pixel."""
    is_pixel = dataset.interleaving == Interleaving.pixel
    sizes = [np.dtype(kind).itemsize for kind in dataset.dtypes]
    return max(
        height * width * (sum(sizes) if is_pixel else size)
        for (height, width), size in zip(dataset.block_shapes, sizes, strict=True)
    )


def _pixel_bytes(dataset: DatasetReader) -> int:
    return sum(np.dtype(kind).itemsize for kind in dataset.dtypes)
