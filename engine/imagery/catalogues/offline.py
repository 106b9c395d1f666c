"""The scenes of a catalogue as files in a folder, on their own pixels, so that a region is used without a network."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from engine.concurrency.ordered_map import ordered_map
from engine.errors import BadInput
from engine.files import make_folder, write_atomic
from engine.imagery.catalogues.manifest import (
    FILE,
    AssetRecord,
    Manifest,
    SceneRecord,
    read_manifest,
    write_manifest,
)
from engine.imagery.geobox import transform_bounds
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.remote.fetching import CONNECTIONS
from engine.imagery.remote.remote_file import ENDING

# Pixels around a scene that resampling looks at.
_RIM_PX = 8
_BLOCK_PX = 256


@dataclass(frozen=True)
class Step:
    """A raster is here.

    Attributes:
        file: its name in the folder.
        done, total: rasters.
        bytes: of the file.
    """

    file: str
    done: int
    total: int
    bytes: int


def write_offline(folder: Path, out: Path) -> Generator[Step]:
    """Write the rasters of the scenes of a folder into another, each cut to its scene, and their manifest last.

    Rasters that an earlier try has written are kept.

    Raises:
        BadInput: the folder holds other scenes.
        RemoteError: a raster cannot be had; what was written stays.
        DiskFull, RunFailure: no room.
    """
    held = read_manifest(folder)
    if (out / FILE).is_file() and [one.id for one in read_manifest(out).scenes] != [
        one.id for one in held.scenes
    ]:
        raise BadInput(f"{out} already holds other scenes. Choose another --out.")
    make_folder(out)
    rasters = {one.file: (one, scene) for scene in held.scenes for one in _assets(scene).values()}
    written = ordered_map(
        rasters.values(), lambda found: _write(folder, out, *found), CONNECTIONS // 2, "offline"
    )
    with closing(written):
        for number, path in enumerate(written, 1):
            yield Step(path.name, number, len(rasters), path.stat().st_size)
    write_manifest(out, Manifest(scenes=tuple(_local(scene) for scene in held.scenes), notes=held.notes))


def _assets(scene: SceneRecord) -> Mapping[str, AssetRecord]:
    return {**scene.assets, **({"mask": scene.mask.asset} if scene.mask else {})}


def _file(name: str) -> str:
    """The name of a raster that lies here; JPEG 2000 becomes GeoTIFF."""
    return name.removesuffix(ENDING).removesuffix(".jp2").removesuffix(".tif") + ".tif"


def _local(scene: SceneRecord) -> SceneRecord:
    def here(asset: AssetRecord) -> AssetRecord:
        return asset.model_copy(update={"file": _file(asset.file), "index": 1})

    mask = scene.mask.model_copy(update={"asset": here(scene.mask.asset)}) if scene.mask else None
    return scene.model_copy(
        update={"assets": {band: here(one) for band, one in scene.assets.items()}, "mask": mask}
    )


def _write(folder: Path, out: Path, asset: AssetRecord, scene: SceneRecord) -> Path:
    path = out / _file(asset.file)
    if path.is_file():
        return path
    source = folder / Path(asset.file).name
    with open_raster(source) as dataset, damage_told(source, f"the part in {scene.id}"):
        window = _window(scene.grid.grid(), dataset.transform, dataset.shape, asset.crs)
        values = dataset.read(asset.index, window=window)
        profile = {
            "driver": "GTiff", "count": 1, "dtype": values.dtype, "height": values.shape[0], "width": values.shape[1],
            "crs": dataset.crs, "transform": dataset.transform @ Affine.translation(window.col_off, window.row_off),
            "nodata": dataset.nodata, "tiled": True, "blockxsize": _BLOCK_PX, "blockysize": _BLOCK_PX, "compress": "DEFLATE",
        }  # fmt: skip
    write_atomic(path, lambda temporary: _save(temporary, values, profile))
    return path


def _save(path: Path, values: np.ndarray, profile: Mapping[str, object]) -> None:
    with rasterio.open(path, "w", **profile) as file:
        file.write(values, 1)


def _window(grid: GeoBox, transform: Affine, shape: tuple[int, int], crs: str) -> Window:
    """The pixels of a raster below a scene, with a rim."""
    west, south, east, north = transform_bounds(grid, crs)
    corners = [~transform @ (x, y) for x in (west, east) for y in (south, north)]
    columns, rows = [column for column, _ in corners], [row for _, row in corners]
    left, right = max(0, int(min(columns)) - _RIM_PX), min(shape[1], int(max(columns)) + _RIM_PX + 1)
    top, bottom = max(0, int(min(rows)) - _RIM_PX), min(shape[0], int(max(rows)) + _RIM_PX + 1)
    return Window(left, top, right - left, bottom - top)
