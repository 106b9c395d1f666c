"""One acquisition, and how its pixels are read: reflectance with a mask, never a zero that something averages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
from shapely.geometry import Polygon

from engine.errors import MissingBand, SceneError
from engine.imagery.grid import Tile, outline_lonlat
from engine.imagery.sensor import Sensor

# The only formats opened: each holds its own pixels, none points at another file or address (as VRT does).
_JPEG2000_SIGNATURE = b"\x00\x00\x00\x0cjP"  # ISO/IEC 15444-1, annex I.5.1
# Transforms that differ by less than this share of a pixel are one grid (float64 metres, rounded by writers).
_SAME_GRID_PX = 1e-3


@dataclass(frozen=True)
class Scene:
    """One acquisition of one place by one sensor.

    Attributes:
        id: letters, digits, '.', '_' and '-' only.
        bands: common name -> 1-based index in the file.
        datetime: None where the source does not state one.
        scale, offset: reflectance = stored value * scale + offset, band by band.
        nodata: stored value that marks a gap, None where there is none.
        mask_path: label raster (1 burnt, 0 not, -1 missing) on the same grid, if there is one.
        split: "train", "val" or "test" where the source says so.
        is_chip: the scene is one tile by itself; a fixed grid serves everything else.
    """

    id: str
    title: str
    sensor: Sensor
    path: Path
    bands: Mapping[str, int]
    datetime: datetime | None
    crs: str
    transform: Affine
    height: int
    width: int
    scale: float
    offset: float
    nodata: float | None
    source: str
    licence: str
    is_simulated: bool = False
    mask_path: Path | None = None
    split: str | None = None
    is_chip: bool = False

    @property
    def gsd_m(self) -> float:
        """Side of a pixel in the units of the CRS (metres when it is projected)."""
        return float(abs(self.transform.a))

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the scene's CRS."""
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (self.width, self.height)
        return west, south, east, north

    @property
    def footprint(self) -> Polygon:
        """Outline in lon/lat, nodata included."""
        return outline_lonlat(self.bounds_m, self.crs)

    def require(self, bands: Sequence[str], who: str) -> None:
        """Check that the scene has all of these bands.

        Raises:
            MissingBand: naming what is missing and what is there.
        """
        missing = [band for band in bands if band not in self.bands]
        if missing:
            raise MissingBand(
                f"{who} needs band {', '.join(map(repr, missing))}; {self.id} has {', '.join(self.bands)}. "
                f"Pick a scene that has it, or a backbone that fits these bands."
            )


@dataclass(frozen=True)
class Chip:
    """Pixels of one tile.

    Attributes:
        image: (T, C, H, W) float32 reflectance; values where `valid` is False are 0 and mean nothing.
        valid: (T, H, W) bool.
        datetimes: T acquisition times, None where the source does not state one.
    """

    tile: Tile
    image: np.ndarray
    valid: np.ndarray
    datetimes: tuple[datetime | None, ...]


@contextmanager
def open_raster(path: Path) -> Iterator[DatasetReader]:
    """A raster of an allowed format, opened for reading.

    Raises:
        SceneError: the file is absent, of another format, damaged or truncated.
    """
    if not path.is_file():  # also refuses addresses and GDAL's virtual paths
        raise SceneError(
            f"a raster file was wanted, found nothing readable at {path}. Check the path; addresses are not opened."
        )
    try:
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_NUM_THREADS="1"):
            dataset = rasterio.open(path, driver=_driver_of(path))
    except RasterioError as err:
        raise SceneError(
            f"a GeoTIFF or JPEG 2000 was wanted, found {path.name}, which cannot be opened ({_short(err)}). "
            f"Export it again."
        ) from err
    with dataset:
        yield dataset


def read_chip(scenes: Sequence[Scene], tile: Tile, bands: Sequence[str]) -> Chip:
    """The pixels of a tile, one date a scene, in the order of the scenes.

    Raises:
        SceneError: a file is damaged where the tile lies.
        MissingBand: a scene lacks a band.
    """
    dates = [_read_date(scene, tile, bands) for scene in scenes]
    return Chip(
        tile,
        np.stack([image for image, _ in dates]),  # (T, C, H, W)
        np.stack([valid for _, valid in dates]),  # (T, H, W)
        tuple(scene.datetime for scene in scenes),
    )


def read_mask(path: Path, tile: Tile) -> np.ndarray:
    """Labels of a tile's pixels, nearest neighbour where the raster lies on another grid.

    Returns:
        (H, W) int8: 1 burnt, 0 not, -1 missing (also outside the raster).

    Raises:
        SceneError: the file cannot be read.
    """
    with open_raster(path) as dataset:
        values, inside = _read_window(dataset, [1], tile, Resampling.nearest, path)
        labels = np.where(np.isin(values[0], (0, 1)) & inside, values[0], -1)
    return labels.astype(np.int8)


def _read_date(scene: Scene, tile: Tile, bands: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    scene.require(bands, "reading")
    with open_raster(scene.path) as dataset:
        raw, inside = _read_window(
            dataset, [scene.bands[band] for band in bands], tile, Resampling.bilinear, scene.path
        )
    finite = np.isfinite(raw).all(axis=0)
    valid = inside & finite
    if scene.nodata is not None:
        valid &= (raw != scene.nodata).all(axis=0)
    image = raw.astype(np.float32) * np.float32(scene.scale) + np.float32(scene.offset)
    return np.where(valid, image, np.float32(0)), valid


def _read_window(
    dataset: DatasetReader, indexes: list[int], tile: Tile, resampling: Resampling, path: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Raw values (C, H, W) of a tile and which of its pixels (H, W) lie inside the raster."""
    try:
        if _on_one_grid(dataset, tile):
            return _read_aligned(dataset, indexes, tile)
        target = {"crs": tile.crs, "transform": tile.transform, "height": tile.height, "width": tile.width}
        has_alpha = dataset.nodata is None
        with WarpedVRT(dataset, resampling=resampling, add_alpha=has_alpha, **target) as warped:
            inside = warped.read(warped.count) > 0 if has_alpha else warped.dataset_mask() > 0
            return warped.read(indexes), inside
    except (RasterioIOError, RasterioError) as err:
        raise SceneError(
            f"pixels of tile {tile.id} were wanted, found {path.name} damaged or cut short there ({_short(err)}). "
            f"Copy or download the file again."
        ) from err


def _read_aligned(dataset: DatasetReader, indexes: list[int], tile: Tile) -> tuple[np.ndarray, np.ndarray]:
    column, row = (round(v) for v in ~dataset.transform @ (tile.transform.c, tile.transform.f))
    left, top = max(column, 0), max(row, 0)
    right, bottom = min(column + tile.width, dataset.width), min(row + tile.height, dataset.height)
    values = np.zeros((len(indexes), tile.height, tile.width), dtype=dataset.dtypes[0])
    inside = np.zeros((tile.height, tile.width), dtype=bool)
    if right > left and bottom > top:
        place = np.s_[top - row : bottom - row, left - column : right - column]
        values[(slice(None), *place)] = dataset.read(
            indexes, window=Window(left, top, right - left, bottom - top)
        )
        inside[place] = True
    return values, inside


def _on_one_grid(dataset: DatasetReader, tile: Tile) -> bool:
    here, there = dataset.transform, tile.transform
    if dataset.crs != rasterio.crs.CRS.from_user_input(tile.crs) or here.b != 0 or here.d != 0:
        return False
    tolerance = _SAME_GRID_PX * abs(here.a)
    same_size = (
        abs(here.a - there.a) < tolerance / max(dataset.width, 1) * 10 and abs(here.e - there.e) < tolerance
    )
    column, row = ~here @ (there.c, there.f)
    return bool(
        same_size and abs(column - round(column)) < _SAME_GRID_PX and abs(row - round(row)) < _SAME_GRID_PX
    )


def fingerprint(scene: Scene) -> str:
    """Size and modification time of the scene's file: changes when the file does."""
    status = scene.path.stat()
    return f"{scene.path.name}:{status.st_size}:{status.st_mtime_ns}"


def _driver_of(path: Path) -> str:
    with path.open("rb") as file:
        return "JP2OpenJPEG" if file.read(len(_JPEG2000_SIGNATURE)) == _JPEG2000_SIGNATURE else "GTiff"


def _short(error: Any) -> str:
    return " ".join(str(error).split())[:120]
