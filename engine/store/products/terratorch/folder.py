"""A folder of embeddings as TerraTorch leaves it: a folder a layer, in it `<stem>_embedding.tif` a chip.

TerraTorch writes no nodata and often no CRS: then the image of the same stem says where a chip lies, from a folder that is
named with --images. What Emberscope exported says it itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from engine.errors import StoreError
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.region import Region
from engine.store.cells import folded
from engine.store.emb_footer import date_range
from engine.store.products.decoding import AS_STORED, is_unit_length, median_length
from engine.store.products.own_exports.facts import tiles_that_meet
from engine.store.products.taken import Taken
from engine.store.products.terratorch.chip_place import chip_tile
from engine.store.products.terratorch.summary import OWN_KEY, backbone_of, layer_of, own_fields, read_summary
from engine.store.products.understood import UNKNOWN, Understood
from engine.store.schema import StoredTile, TileRows, column_names

_FILES = "*_embedding.tif"
_END = "_embedding.tif"
_LOOKED_CHIPS = 20
_KEPT = ("weights_sha256", "bands", "sensor", "level", "is_simulated", "source", "pooling")


@dataclass(frozen=True)
class _Layers:
    """The folders of layers, by the number of the layer, and the stems that all of them have."""

    folders: Mapping[int, Path]
    stems: tuple[str, ...]
    summary: dict[str, Any]

    def path(self, layer: int, stem: str) -> Path:
        """The file of a chip."""
        return self.folders[layer] / f"{stem}_embedding.tif"


def is_terratorch(folder: Path) -> bool:
    """Whether a folder holds TerraTorch's embeddings, or folders of their layers."""
    return any(folder.glob(_FILES)) or any(folder.glob(f"layer_*/{_FILES}"))


@contextmanager
def taken_folder(path: Path, region: Region | None, images: Path | None) -> Iterator[Taken]:
    """The embeddings of a folder, all layers of it.

    Args:
        images: folder with the images of the same stems, for chips without a place of their own.

    Raises:
        StoreError: files are missing, damaged, of several kinds, or nothing says where they lie.
        RegionError: no chip meets the region.
    """
    found = _layers(path)
    numbers = sorted(found.folders)
    coarsest = min(numbers, key=lambda layer: _read(found.path(layer, found.stems[0])).shape[:2])
    tiles = tuple(_tile(found.path(coarsest, stem), stem, images) for stem in found.stems)
    chosen = tiles_that_meet(tiles, region, path.name)
    kept = tuple(tile for tile, is_chosen in zip(tiles, chosen, strict=True) if is_chosen)
    stems = [stem for stem, is_chosen in zip(found.stems, chosen, strict=True) if is_chosen]
    cells, dims = _cells(found, numbers, stems[0], kept[0])
    shown = [_read(found.path(numbers[0], stem)) for stem in stems[:: max(1, len(stems) // _LOOKED_CHIPS)]]
    told = {name: value for name, value in own_fields(found.summary).items() if name in _KEPT}
    own = {"layers": tuple(numbers), "dims": dims, "columns": column_names(tuple(numbers)),
           "cells": cells if max(cells) > 1 else (), "source": f"embeddings in {path.name}",
           **told, **_besides(found.summary), "patch_px": _patch_px(kept, path)}  # fmt: skip
    yield Taken(
        _understood(path, found, kept, dims, shown, own), _granularity(found.summary, kept), own["patch_px"],
        lambda: _rows(found, numbers, dict(zip(stems, kept, strict=True)), dims, cells), own,
    )  # fmt: skip


def _layers(path: Path) -> _Layers:
    """The layers of a folder, or the one that it is.

    Raises:
        StoreError: a layer lacks chips that another has.
    """
    folders = (
        [path]
        if any(path.glob(_FILES))
        else sorted(one for one in path.glob("layer_*") if any(one.glob(_FILES)))
    )
    summary = read_summary(folders[0])
    stems = {folder: {file.name.removesuffix(_END) for file in folder.glob(_FILES)} for folder in folders}
    for folder, own in stems.items():
        if own != stems[folders[0]]:
            odd = sorted(own ^ stems[folders[0]])
            raise StoreError(
                f"{folder.name} and {folders[0].name} do not hold the same chips: {len(odd)} stand in one of them only, such as "
                f"{odd[0]}. Give the folder of one layer."
            )
    numbered = {_number(summary, folder, place): folder for place, folder in enumerate(folders)}
    if len(numbered) < len(folders):
        numbered = dict(enumerate(folders))
    return _Layers(numbered, tuple(sorted(stems[folders[0]])), summary)


def _number(summary: dict[str, Any], folder: Path, place: int) -> int:
    """The layer of a folder: as the summary says, else its place in the order of names."""
    return layer_of(summary, folder.name) if summary.get("layers") else place


def _tile(path: Path, stem: str, images: Path | None) -> StoredTile:
    with open_raster(path) as dataset:
        return chip_tile(dataset, stem, images)


def _read(path: Path) -> np.ndarray:
    """(h, w, D) float32; NaN, and the file's nodata, are gaps."""
    with open_raster(path) as dataset, damage_told(path, "it"):
        values = np.moveaxis(dataset.read(), 0, -1)
        nodata = dataset.nodata
    if values.dtype.kind == "c":
        raise StoreError(f"{path.name} holds complex numbers. Give embeddings of real ones.")
    exact = values.astype(np.float32)
    if nodata is not None and np.isfinite(nodata):
        exact[(values == nodata).all(axis=-1)] = np.nan
    return np.ascontiguousarray(exact)


def _rows(
    found: _Layers,
    numbers: Sequence[int],
    tiles: Mapping[str, StoredTile],
    dims: tuple[int, ...],
    cells: tuple[int, ...],
) -> Iterator[TileRows]:
    for stem, tile in tiles.items():
        layers, has_all = [], np.ones(tile.rows, bool)
        for layer, dim, across in zip(numbers, dims, cells, strict=True):
            values = _read(found.path(layer, stem))
            if values.shape != (tile.h * across, tile.w * across, dim // across**2):
                raise StoreError(
                    f"{found.path(layer, stem).name} of {found.folders[layer].name} has {values.shape[0]} x {values.shape[1]} patches of "
                    f"{values.shape[2]} numbers, and {tile.h * across} x {tile.w * across} of {dim // across**2} are expected, as in the first "
                    f"chip. Give chips of one kind."
                )
            flat = folded(values, across)
            has_all &= np.isfinite(flat).all(axis=1)
            layers.append(flat)
        for flat in layers:
            flat[~has_all] = 0
        yield TileRows(tile, tuple(layers), has_all.astype(np.float32))


def _cells(
    found: _Layers, numbers: Sequence[int], stem: str, tile: StoredTile
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of each layer, how many of its patches lie along one of the coarsest layer, and the numbers of a row.

    Raises:
        StoreError: the patches of one layer do not divide those of another.
    """
    cells, dims = [], []
    for layer in numbers:
        h, w, dim = _read(found.path(layer, stem)).shape
        if h % tile.h or w % tile.w or h // tile.h != w // tile.w:
            raise StoreError(
                f"{found.folders[layer].name} has {h} x {w} patches a chip, which do not fit the {tile.h} x {tile.w} of the coarsest layer. "
                f"Give the folder of one layer."
            )
        cells.append(h // tile.h)
        dims.append(dim * (h // tile.h) ** 2)
    return tuple(cells), tuple(dims)


def _granularity(summary: dict[str, Any], tiles: Sequence[StoredTile]) -> Literal["patch", "tile"]:
    """As an export says; else one row a chip is a tile's."""
    told = summary.get(OWN_KEY)
    stated = told.get("granularity") if isinstance(told, dict) else None
    if stated in ("patch", "tile"):
        return "tile" if stated == "tile" else "patch"
    return "tile" if all(tile.rows == 1 for tile in tiles) else "patch"


def _patch_px(tiles: Sequence[StoredTile], path: Path) -> int:
    """Pixels along a patch, the same for all.

    Raises:
        StoreError: they differ.
    """
    sides = {tile.height_px // tile.h for tile in tiles}
    if len(sides) > 1:
        raise StoreError(
            f"The chips of {path.name} have patches of {', '.join(map(str, sorted(sides)))} pixels. Give chips of one kind."
        )
    return sides.pop()


def _besides(summary: dict[str, Any]) -> dict[str, Any]:
    """What an export of Emberscope says besides what decoders are compared by."""
    told = summary.get(OWN_KEY)
    return (
        {name: str(told[name]) for name in ("licence", "attribution") if name in told}
        if isinstance(told, dict)
        else {}
    )


def _understood(
    path: Path,
    found: _Layers,
    tiles: Sequence[StoredTile],
    dims: tuple[int, ...],
    shown: Sequence[np.ndarray],
    own: dict[str, Any],
) -> Understood:
    vectors = np.concatenate([one.reshape(-1, one.shape[-1]) for one in shown])
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    first, last = date_range(tiles)
    years = {moment[:4] for moment in (first, last) if moment}
    zones = sorted({tile.crs for tile in tiles})
    model = backbone_of(found.summary)
    notes = [
        "SIMULATED: these embeddings are of simulated imagery that no satellite has seen." if own.get("is_simulated") else "",
        "RANDOM WEIGHTS: the encoder of these embeddings was never trained." if own.get("weights_sha256") == "random" else "",
        "" if years else "No file states a time: the embeddings have no date.",
        f"No configuration_summary.json lies beside {path.name}: nothing tells which model made these embeddings. --model NAME states it."
        if model == UNKNOWN else "",
    ]  # fmt: skip
    return Understood(
        path=str(path), form="TerraTorch folders", model=model, dim=dims[0], decoding=AS_STORED.words,
        mean_length=median_length(vectors) if len(vectors) else 0.0, is_unit_length=bool(len(vectors)) and is_unit_length(vectors),
        nodata="NaN, or the file's nodata", year=int(years.pop()) if len(years) == 1 else None, licence=str(own.get("licence", "")),
        attribution=str(own.get("attribution", "")), crs=", ".join(zones[:4]) + (", ..." if len(zones) > 4 else ""),
        gsd_m=abs(tiles[0].transform[0]), size=f"{len(tiles):,} chips, layer {', '.join(map(str, sorted(found.folders)))}",
        rows=sum(tile.rows for tile in tiles), dtype="float32", notes=tuple(note for note in notes if note),
    )  # fmt: skip
