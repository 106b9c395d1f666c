"""Windows of an rslearn dataset with a layer of embeddings, as OlmoEarth's are kept: windows/GROUP/NAME/layers/embeddings/BANDS/geotiff.tif.

Each window is a raster on its own UTM grid; metadata.json beside the layers says of which time it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import RegionError, StoreError
from engine.files import read_json
from engine.imagery.raster.dates import parse_time
from engine.imagery.region import Region
from engine.imagery.scene import scene_id
from engine.store.products import geotiff
from engine.store.products.pixel_grid import box_of
from engine.store.products.raster import understood_raster
from engine.store.products.raster_tiles import rows_of
from engine.store.products.taken import Taken
from engine.store.products.understood import Understood
from engine.store.schema import TileRows

# From the dataset, from its folder of windows, from a group, or from one window.
_BELOW = ("windows/*/*/", "*/*/", "*/", "")
_LAYER = "layers/*embed*/*/geotiff.tif"


@dataclass(frozen=True)
class _Window:
    """A window that meets the region.

    Attributes:
        rows: embeddings in it, at most.
    """

    path: Path
    name: str
    moment: str | None
    rows: int
    dim: int


def is_rslearn(folder: Path) -> bool:
    """Whether a folder is a dataset of windows with embeddings, or a part of one."""
    return any(any(folder.glob(below + _LAYER)) for below in _BELOW)


@contextmanager
def taken_windows(path: Path, region: Region | None) -> Iterator[Taken]:
    """The embeddings of all windows that meet a region.

    Raises:
        StoreError: windows of different dimensions, or one that holds no embeddings.
        RegionError: none meets the region.
    """
    windows = [one for file in _files(path) if (one := _window(file, region)) is not None]
    if not windows:
        raise RegionError(f"No window of {path.name} meets the region. Choose another region.")
    other = next((one for one in windows if one.dim != windows[0].dim), None)
    if other is not None:
        raise StoreError(
            f"{other.path} has embeddings of {other.dim} numbers, and {windows[0].path} of {windows[0].dim}. Give one group of windows."
        )
    with understood_raster(windows[0].path, region) as found:
        told = _understood(found.understood, path, windows)
    yield Taken(told, "patch", 1, lambda: _rows(windows, region), most_tiles=len(windows))


def _files(path: Path) -> list[Path]:
    return next(found for below in _BELOW if (found := sorted(path.glob(below + _LAYER))))


def _window(file: Path, region: Region | None) -> _Window | None:
    """A window by its file; None where it lies beside the region."""
    folder = file.parents[3]
    with geotiff.opened(file) as pixels:
        try:
            box = box_of(pixels.grid, region, file.name)
        except RegionError:
            return None
        name = scene_id(f"{folder.parent.name}_{folder.name}")
        return _Window(file, name, _moment(folder), box.rows, pixels.dim)


def _moment(window: Path) -> str | None:
    """The beginning of a window's time range; None where it states none."""
    try:
        told = read_json(window / "metadata.json")
        first = told["time_range"][0]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
    moment = parse_time(first) if isinstance(first, str) else None
    return None if moment is None else moment.isoformat()


def _understood(first: Understood, path: Path, windows: list[_Window]) -> Understood:
    years = sorted({one.moment[:4] for one in windows if one.moment})
    notes = [note for note in first.notes if not note.startswith(("No year", "The year"))]
    told = (
        "Windows are dated by the beginning of their time range."
        if years
        else "No window states a time range: the embeddings have no date."
    )
    return replace(
        first, path=str(path), form="windows of rslearn, GeoTIFFs", year=int(years[0]) if len(years) == 1 else None,
        size=f"{len(windows):,} windows", rows=sum(one.rows for one in windows), notes=(*notes, told), bounds_lonlat=(0.0,) * 4,
    )  # fmt: skip


def _rows(windows: list[_Window], region: Region | None) -> Iterator[TileRows]:
    for one in windows:
        with understood_raster(one.path, region) as found:
            yield from rows_of(found, one.name, one.moment)
