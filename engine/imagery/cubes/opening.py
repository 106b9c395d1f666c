"""Which files and folders are cubes, and each opened once: netCDF files, and Zarr stores here or on other computers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from engine.errors import SceneError
from engine.imagery.cubes.cube import DAMAGE, Cube, understood
from engine.imagery.cubes.netcdf import ENDINGS, open_netcdf
from engine.imagery.cubes.zarr_store import METADATA, is_zarr, is_zarr_away, open_zarr, open_zarr_away


def is_cube(path: Path) -> bool:
    """Whether a path is that of a cube: a netCDF file by its name, the folder of a Zarr store, or a file that names one elsewhere."""
    return path.suffix.lower() in ENDINGS or is_zarr(path) or is_zarr_away(path)


def changed_ns(path: Path) -> int:
    """When a cube was changed last, in nanoseconds; of a Zarr store, its folder and what describes it."""
    own = [path, *(path / name for name in METADATA)] if path.is_dir() else [path]
    return max((one.stat().st_mtime_ns for one in own if one.exists()), default=0)


def cube_of(path: Path) -> Cube:
    """The cube in a file or folder, which stays open.

    Raises:
        SceneError: it is absent, no cube, points at other files, or is not understood.
    """
    return _held(path, changed_ns(path))


@lru_cache(maxsize=8)
def _held(path: Path, modified_ns: int) -> Cube:
    del modified_ns
    kind, opened = "netCDF", open_netcdf
    if path.is_dir() or is_zarr_away(path):
        kind, opened = "Zarr", open_zarr if path.is_dir() else open_zarr_away
    try:
        return understood(opened(path))
    except DAMAGE as err:
        raise SceneError(
            f"{path.name} cannot be read as {kind} ({' '.join(str(err).split())[:120]}). Copy or write it again."
        ) from err
