"""Windows of an rslearn dataset with a layer of embeddings, as OlmoEarth's are kept: windows/GROUP/NAME/layers/embeddings/BANDS/geotiff.tif.

Each window is a raster on its own UTM grid; metadata.json beside the layers says of which time it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engine.errors import StoreError
from engine.files import read_json
from engine.imagery.raster.dates import parse_time
from engine.imagery.region import Region
from engine.imagery.scene import scene_id
from engine.store.products.raster_sets.raster_set import Member, taken_set
from engine.store.products.taken import Taken
from engine.store.products.understood import Understood

# From the dataset, from its folder of windows, from a group, or from one window.
_BELOW = ("windows/*/*/", "*/*/", "*/", "")
_LAYER = "layers/*embed*/*/geotiff.tif"


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
    files = _files(path)
    _require_one_layer(path, files)
    members = [_member(file) for file in files]
    taken = taken_set(path, members, region)
    yield replace(taken, understood=_understood(taken.understood, len(members)))


def _files(path: Path) -> list[Path]:
    return next(found for below in _BELOW if (found := sorted(path.glob(below + _LAYER))))


def _require_one_layer(path: Path, files: list[Path]) -> None:
    """Check that a window has one raster of embeddings an item group (rslearn counts the groups of a layer: NAME, NAME.1, ...).

    Raises:
        StoreError: windows have several layers, or a layer several rasters.
    """
    layers = sorted({file.parents[1].name.partition(".")[0] for file in files})
    rasters = Counter(file.parent.parent for file in files)
    twice = next((folder for folder, count in rasters.items() if count > 1), None)
    if len(layers) > 1 or twice is not None:
        told = (
            f"the layers {', '.join(layers)}"
            if twice is None
            else f"several rasters in {twice.relative_to(path)}"
        )
        raise StoreError(
            f"{path.name} has {told} of embeddings for the same ground. Give a dataset with one, or a copy without the others."
        )


def _member(file: Path) -> Member:
    folder, (_, _, group) = file.parents[3], file.parents[1].name.partition(".")
    name = "_".join(filter(None, (folder.parent.name, folder.name, group)))
    return Member(file, scene_id(name), _moment(folder), is_dated=True)


def _moment(window: Path) -> str | None:
    """The beginning of a window's time range; None where it states none."""
    try:
        told = read_json(window / "metadata.json")
        first = told["time_range"][0]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
    moment = parse_time(first) if isinstance(first, str) else None
    return None if moment is None else moment.isoformat()


def _understood(found: Understood, windows: int) -> Understood:
    notes = [note for note in found.notes if not note.startswith(("No year", "The year"))]
    told = (
        "Windows are dated by the beginning of their time range."
        if found.years
        else "No window states a time range: the embeddings have no date."
    )
    return replace(found, form=f"windows of rslearn, GeoTIFFs ({windows:,})", notes=(*notes, told))
