"""A folder of tiles of one product, as AlphaEarth's COGs or TESSERA's grid cells come: one store, over all their zones and years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engine.errors import EngineError, StoreError
from engine.imagery.raster.rasters import open_raster
from engine.imagery.region import Region
from engine.imagery.scene import scene_id
from engine.store.products.known import UNKNOWN_PRODUCT, product_of
from engine.store.products.own_exports.tags import own_of_tags
from engine.store.products.raster_sets.raster_set import Member, taken_set
from engine.store.products.taken import Taken

_DEPTH = ("", "*/", "*/*/", "*/*/*/")
_TIFFS, _LEAST_BANDS = (".tif", ".tiff"), 8
_SCALES = "_scales"
_NAMED = 4


def is_folder_of_tiles(folder: Path) -> bool:
    """Whether a folder holds tiles of a product that is known by its names or bands: other rasters may be images."""
    first = next((file for below in _DEPTH[:2] for file in _rasters(folder, below)), None)
    if first is None:
        return False
    if first.suffix == ".npy":
        return True
    try:
        with open_raster(first) as dataset:
            bands, count = tuple(name or "" for name in dataset.descriptions), dataset.count
            tags = {key.lower(): value for key, value in dataset.tags().items()}
    except EngineError:
        return False
    is_known = product_of(first, bands, count) is not UNKNOWN_PRODUCT or bool(own_of_tags(tags))
    return count >= _LEAST_BANDS and is_known


def holds_rasters(folder: Path) -> bool:
    """Whether there are rasters in a folder, or in folders of it."""
    return any(True for below in _DEPTH for _ in _rasters(folder, below))


@contextmanager
def taken_tiles(path: Path, region: Region | None, year: int | None, model: str | None) -> Iterator[Taken]:
    """The embeddings of all tiles of a folder, and of the folders in it, that meet a region.

    Raises:
        StoreError: none of its rasters holds embeddings, or they are of several kinds.
        RegionError: none meets the region.
    """
    files = [file for below in _DEPTH for file in _rasters(path, below)]
    if any(file.suffix == ".npy" for file in files):
        few, files = [], [file for file in files if file.suffix == ".npy"]
    else:
        few = [file for file in files if _bands(file) < _LEAST_BANDS]
    files = [file for file in files if file not in set(few)]
    if not files:
        raise StoreError(
            f"{path} holds {len(few)} rasters of fewer than {_LEAST_BANDS} bands: an embedding has a band a dimension. Extract their "
            f"embeddings with a backbone, if they are imagery."
        )
    found = taken_set(path, _members(path, files), region, year, model)
    told = found.understood
    left_out = f"{', '.join(file.name for file in few[:_NAMED])}{', ...' if len(few) > _NAMED else ''} have fewer than {_LEAST_BANDS} bands and are left out."
    yield replace(found, understood=replace(told, notes=(*told.notes, *([left_out] if few else []))))


def _members(path: Path, files: list[Path]) -> list[Member]:
    """The tiles by their names, or where two folders hold the same name, by their folders too."""
    files = sorted(files)
    twice = any(count > 1 for count in Counter(file.stem for file in files).values())
    return [
        Member(file, scene_id("_".join(file.relative_to(path).with_suffix("").parts) if twice else file.stem)) for file in files
    ]  # fmt: skip


def _rasters(folder: Path, below: str) -> Iterator[Path]:
    """The rasters at a depth: NPY files with scales beside them, and GeoTIFFs."""
    for file in sorted(folder.glob(f"{below}*")):
        ending = file.suffix.lower()
        if ending == ".npy" and file.with_name(f"{file.stem}{_SCALES}.npy").is_file():
            yield file
        if ending in _TIFFS and not file.name.endswith(".mask.tif") and file.is_file():
            yield file


def _bands(file: Path) -> int:
    with open_raster(file) as dataset:
        return int(dataset.count)
