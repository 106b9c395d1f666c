"""Where scenes come from: one file a source. Nothing outside this room asks which source a scene came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine.errors import SceneError
from engine.imagery.cubes.opening import is_cube
from engine.imagery.cubes.zarr_store import is_zarr_away
from engine.imagery.sources.chip_folder import ChipsScene
from engine.imagery.sources.cube import NetcdfScene, ZarrScene
from engine.imagery.sources.product_files import grouped, rasters_in
from engine.imagery.sources.published import PublishedEmbeddings
from engine.imagery.sources.raster_file import FileScene
from engine.imagery.sources.scene_stack import FilesScene
from engine.imagery.sources.sentinel_hub import SentinelHubScene
from engine.imagery.sources.simulated import SimulatedScene
from engine.imagery.sources.stac import StacScene
from engine.imagery.sources.stack import StackScene, bands_of_dates

__all__ = [
    "ChipsScene",
    "FileScene",
    "FilesScene",
    "NetcdfScene",
    "PublishedEmbeddings",
    "SceneConfig",
    "SentinelHubScene",
    "SimulatedScene",
    "StacScene",
    "StackScene",
    "ZarrScene",
    "source_of",
]

SceneConfig = Annotated[
    FileScene
    | FilesScene
    | ChipsScene
    | SimulatedScene
    | StacScene
    | SentinelHubScene
    | PublishedEmbeddings
    | NetcdfScene
    | ZarrScene
    | StackScene,
    Field(discriminator="source"),
]
"""A source as a configuration names it. Every source has the fields and methods of `source.SceneSource`."""


def source_of(path: Path) -> SceneConfig:
    """The source that reads a file or folder: chips in the layout of HLS Burn Scars, a cube, one raster or product, or several."""
    if is_zarr_away(path):
        return ZarrScene.elsewhere(path)
    if is_cube(path):
        return (
            ZarrScene(source="zarr", path=str(path))
            if path.is_dir()
            else NetcdfScene(source="netcdf", path=str(path))
        )
    if path.is_dir() and any((path / "data").glob("*_merged.tif")):
        return ChipsScene(source="chips", path=str(path))
    if not path.is_dir():
        return (
            StackScene(source="stack", paths=(str(path),))
            if _has_dates(path)
            else FileScene(source="file", path=str(path))
        )
    alone, groups = grouped(rasters_in(path))
    if len(alone) + len(groups) == 1:
        return FileScene(source="file", path=str(path if groups else alone[0]))
    return FilesScene(source="files", paths=(str(path),))


def _has_dates(path: Path) -> bool:
    """Whether the bands of a raster say that they are of several dates."""
    try:
        held = bands_of_dates(path)
    except SceneError:  # told where its scenes are found
        return False
    return held is not None and len(held.images) > 1
