"""The pixels of a scene, or of the part of it that lies in a region, as one GeoTIFF that says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.features
import shapely
from odc.geo.geobox import GeoBox
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from engine.errors import RegionError
from engine.files import write_atomic
from engine.imagery.geobox import area_in_crs
from engine.imagery.raster.rasters import OpenRasters, damage_told
from engine.imagery.raster.window import agrees, read_window
from engine.imagery.region import Region
from engine.imagery.scene import Asset, Scene

# Pixels along a side that are in memory at once, of one band; a multiple of the file's own blocks.
_PIECE_PX, _BLOCK_PX = 1024, 256
# GDAL's block cache while a cut is written, in MB: without a bound it takes a share of the machine's memory.
_CACHE_MB = 64
_INTEGERS = ("uint8", "int16", "uint16")


@dataclass(frozen=True)
class Cut:
    """What is cut out of a scene.

    Attributes:
        grid: its pixels, those of the scene's own grid.
        area: the region in the scene's CRS; None: all of the grid.
        dtype: stored integers of the files where all bands share a type and a value for gaps, else measured float32.
        nodata: what gaps hold.
    """

    scene: Scene
    grid: GeoBox
    area: BaseGeometry | None
    dtype: str
    nodata: float

    @property
    def most_bytes(self) -> int:
        """Size of the file before compression."""
        pixels = int(self.grid.height) * int(self.grid.width)
        return pixels * len(self.scene.bands) * np.dtype(self.dtype).itemsize

    @property
    def is_measured(self) -> bool:
        """Whether the file holds measured values, so that scale and offset have been applied."""
        return self.dtype == "float32"


def cut_of(scene: Scene, region: Region | None) -> Cut:
    """What a cut will be, without reading a pixel.

    Raises:
        RegionError: the region and the scene share no pixel.
        SceneError: a file of the scene cannot be opened.
    """
    grid, area = scene.grid, None
    if region is not None:
        area = area_in_crs(region.polygon, scene.crs)
        grid = _within(scene, area)
    dtype, nodata = _kept(scene, grid)
    return Cut(scene, grid, area, dtype, nodata)


def write_cut(cut: Cut, out: Path) -> Path:
    """Write a cut, piece by piece and band by band, so that its size does not fill the memory.

    Raises:
        SceneError: a file is damaged where the cut lies.
        DiskFull, BadInput: the file cannot be written.
    """
    write_atomic(out, lambda temporary: _write(cut, temporary))
    return out


def _within(scene: Scene, area: BaseGeometry) -> GeoBox:
    """The pixels of a scene's grid that an area touches.

    Raises:
        RegionError: none.
    """
    if area.is_empty or not area.intersects(shapely.box(*scene.bounds_m)):
        raise RegionError(
            f"The region and the scene {scene.id} do not overlap. Choose another region or scene."
        )
    west, south, east, north = area.bounds
    left, top = ~scene.transform @ (west, north)
    right, bottom = ~scene.transform @ (east, south)
    rows = slice(max(0, int(np.floor(top))), min(scene.height, int(np.ceil(bottom))))
    columns = slice(max(0, int(np.floor(left))), min(scene.width, int(np.ceil(right))))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        raise RegionError(f"The region holds no pixel of the scene {scene.id}. Draw it larger.")
    return scene.grid[rows, columns]


def _kept(scene: Scene, grid: GeoBox) -> tuple[str, float]:
    """Type and value of gaps: the files' own where that loses nothing."""
    assets = list(scene.assets.values())
    with OpenRasters() as rasters:
        dtypes = {rasters.get(asset.path).dtypes[asset.index - 1] for asset in assets}
        has_own_pixels = all(agrees(rasters.get(asset.path), grid, asset.crs) for asset in assets)
    gaps = [value for value in assets[0].nodata if all(value in asset.nodata for asset in assets)]
    dtype = dtypes.pop()
    if dtypes or dtype not in _INTEGERS or not has_own_pixels or not gaps:
        return "float32", float("nan")
    return dtype, gaps[0]


def _write(cut: Cut, path: Path) -> None:
    height, width = cut.grid.shape
    profile = {
        "driver": "GTiff", "height": height, "width": width, "count": len(cut.scene.bands), "dtype": cut.dtype,
        "crs": cut.scene.crs, "transform": cut.grid.transform, "nodata": cut.nodata, "tiled": True, "interleave": "band",
        "blockxsize": _BLOCK_PX, "blockysize": _BLOCK_PX, "compress": "DEFLATE", "bigtiff": "IF_SAFER",
        "predictor": 3 if cut.is_measured else 2,
    }  # fmt: skip
    with (
        rasterio.Env(GDAL_CACHEMAX=_CACHE_MB),
        OpenRasters() as rasters,
        rasterio.open(path, "w", **profile) as out,
    ):
        _say_what_it_is(cut, out)
        for index, asset in enumerate(cut.scene.assets.values(), 1):
            for rows, columns in _pieces(height, width):
                values = _piece(cut, asset, cut.grid[rows, columns], rasters)
                out.write(values, index, window=Window.from_slices(rows, columns))


def _say_what_it_is(cut: Cut, out: rasterio.io.DatasetWriter) -> None:
    """Names, scales and offsets of the bands, and where they come from."""
    scene, assets = cut.scene, list(cut.scene.assets.values())
    out.descriptions = scene.bands
    if not cut.is_measured:
        out.scales = [asset.scale for asset in assets]
        out.offsets = [asset.offset for asset in assets]
    out.units = [asset.sensor.unit for asset in assets]
    tags = {
        "TITLE": scene.title, "SENSOR": scene.sensor.name, "SOURCE": scene.source, "LICENCE": scene.licence,
        "DATETIME": scene.datetime.isoformat() if scene.datetime else "", "VALUES": scene.values,
        "SIMULATED": "yes" if scene.is_simulated else "", "NOTES": " ".join(scene.notes),
        "CLOUD_PCT": "" if scene.cloud_pct is None else f"{scene.cloud_pct:g}",
    }  # fmt: skip
    out.update_tags(**{f"EMBERSCOPE_{name}": text for name, text in tags.items() if text})


def _pieces(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, height, _PIECE_PX):
        for left in range(0, width, _PIECE_PX):
            yield slice(top, min(height, top + _PIECE_PX)), slice(left, min(width, left + _PIECE_PX))


def _piece(cut: Cut, asset: Asset, grid: GeoBox, rasters: OpenRasters) -> np.ndarray:
    """One band on a part of the cut's grid, gaps and what lies outside the region as nodata."""
    with damage_told(asset.path, "a part of it"):
        found, valid = read_window(
            rasters.get(asset.path), [asset.index], grid, asset.crs, [asset.nodata],
            asset.sensor.is_resampled_by_nearest,
        )  # fmt: skip
    values = found[0]
    if cut.is_measured:
        values = values.astype(np.float32) * np.float32(asset.scale) + np.float32(asset.offset)
    if cut.area is not None:
        valid = valid & rasterio.features.geometry_mask([cut.area], grid.shape, grid.transform, invert=True)
    return np.where(valid, values, cut.nodata).astype(cut.dtype)
