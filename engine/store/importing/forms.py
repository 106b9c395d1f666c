"""The forms of embeddings that are read: which reader takes a file or folder, and what it is understood to be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from engine.errors import BadInput
from engine.imagery.region import Region
from engine.store.products.degree_grid import is_degree_grid, taken_degrees
from engine.store.products.own_exports.npz import taken_npz
from engine.store.products.own_exports.stac import is_own_stac, taken_stac
from engine.store.products.own_exports.table import is_own, taken_own_table
from engine.store.products.own_exports.zarr_store import is_own_zarr, taken_zarr
from engine.store.products.raster_sets.folder import holds_rasters, is_folder_of_tiles, taken_tiles
from engine.store.products.raster_sets.rslearn import is_rslearn, taken_windows
from engine.store.products.raster_sets.zones import taken_groups
from engine.store.products.raster_tiles import RASTER_ENDINGS, taken_raster
from engine.store.products.tables.table import taken_table
from engine.store.products.taken import Taken
from engine.store.products.terratorch.chip_files import is_terratorch
from engine.store.products.terratorch.folder import taken_folder
from engine.store.products.understood import UNKNOWN, Understood
from engine.store.products.zarr.group import is_zarr_of_embeddings


def _taken_parquet(path: Path, region: Region | None) -> AbstractContextManager[Taken]:
    """A table with the facts of a store, or any other."""
    return taken_own_table(path, region) if is_own(path) else taken_table(path, region)


_FORMS: dict[str, Callable[[Path, Region | None], AbstractContextManager[Taken]]] = {
    **dict.fromkeys(RASTER_ENDINGS, taken_raster),
    **dict.fromkeys((".parquet", ".geoparquet", ".pq"), _taken_parquet),
    ".npz": taken_npz,
}
ENDINGS = tuple(_FORMS)
# Folders that Emberscope exported, and those that others' programs fill.
_FOLDERS = ((is_own_zarr, taken_zarr), (is_own_stac, taken_stac), (is_rslearn, taken_windows))


def is_folder_of_embeddings(path: Path) -> bool:
    """Whether a folder as a whole is of a form that is read."""
    is_known = [is_terratorch, is_zarr_of_embeddings, *(is_one for is_one, _ in _FOLDERS), is_folder_of_tiles]
    return path.is_dir() and any(is_one(path) for is_one in is_known)


def understand(
    path: Path, region: Region | None = None, model: str | None = None, images: Path | None = None, year: int | None = None
) -> Understood:  # fmt: skip
    """What a file of embeddings is taken for; nothing is written.

    Args:
        model: the encoder's name, where the file does not tell it.
        images: folder with the images of chips, where a folder of embeddings does not say where they lie.

    Raises:
        BadInput: the file or its numbers cannot be used.
    """
    with opened(path, region, images, year, model) as found:
        return with_model(found.understood, model)


def opened(
    path: Path, region: Region | None, images: Path | None = None, year: int | None = None, model: str | None = None
) -> AbstractContextManager[Taken]:  # fmt: skip
    """A file by the ending of its name, a folder by what it holds.

    Args:
        year: which of the dates of a Zarr group; None: all.
        model: as a person states it; a product that is known by it is decoded as such, where the file tells none.

    Raises:
        BadInput: it is not there, or of no form that is read.
    """
    if not path.exists():
        raise BadInput(f"{path} is not there. Check the path.")
    if is_terratorch(path):
        return taken_folder(path, region, images)
    for is_of_form, take in _FOLDERS:
        if path.is_dir() and is_of_form(path):
            return take(path, region)
    if path.is_dir() and is_zarr_of_embeddings(path):
        return taken_groups(path, region, year, model)
    if path.is_dir() and holds_rasters(path):
        return taken_tiles(path, region, year, model)
    if year is not None:
        raise BadInput(
            f"{path.name} is no Zarr group and no folder of tiles, which alone may hold several years. Leave the year out."
        )
    if is_degree_grid(path):
        return taken_degrees(path, region)
    if path.is_dir():
        raise BadInput(
            f"{path} holds no embeddings of a form that is read here: TerraTorch's chips, windows of rslearn, a Zarr group with an array "
            f"named embeddings, tiles of GeoTIFF or NPY. Give a folder of these, or a file."
        )
    open_file = _FORMS.get(path.suffix.lower())
    if open_file is None:
        raise BadInput(
            f"{path} is no file of embeddings that is read here: {', '.join(_FORMS)}. Convert it to one of these."
        )
    return taken_raster(path, region, None, model) if open_file is taken_raster else open_file(path, region)


def with_model(found: Understood, model: str | None) -> Understood:
    """The same with the name of a model that nothing in the file tells.

    Raises:
        BadInput: the file tells another one.
    """
    if model is None or model == found.model:
        return found
    if found.model != UNKNOWN:
        raise BadInput(
            f"{found.path} is of the model {found.model}, and --model says {model}. Leave --model out."
        )
    return replace(found, model=model, notes=tuple(note for note in found.notes if "--model" not in note))


def require_size(told: Understood) -> None:
    """Check that a store of all rows is of a size that can be used.

    Raises:
        BadInput: it is too large.
    """
    if told.rows > told.most_rows:
        raise BadInput(
            f"{told.path} has {told.rows:,} embeddings there, and a store is made of at most {told.most_rows:,}. Choose a part "
            f"of it by a region (--region)."
        )
