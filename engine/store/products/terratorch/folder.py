"""Embeddings of chips as TerraTorch leaves them: a folder a layer, in it a GeoTIFF or a Parquet a chip, or one table for all.

TerraTorch writes no nodata and often no CRS: then the image of the same stem says where a chip lies, from a folder that is
named with --images. What Emberscope exported says it itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import StoreError
from engine.imagery.raster.rasters import open_raster
from engine.imagery.region import Region
from engine.store.products.own_exports.facts import tiles_that_meet
from engine.store.products.taken import Taken
from engine.store.products.terratorch.chip_files import ChipFile, ChipLayers, chip_layers
from engine.store.products.terratorch.chip_place import chip_tile
from engine.store.products.terratorch.chip_rows import chips_told, tiles_of_chips
from engine.store.products.terratorch.chip_values import ChipReader
from engine.store.products.terratorch.patch_layout import PatchLayout, layout_of
from engine.store.products.terratorch.summary import OWN_KEY, own_fields
from engine.store.products.terratorch.table_place import aspect_of, placed_rows, require_one_size, tile_at
from engine.store.products.terratorch.told import understood_chips
from engine.store.schema import StoredTile, column_names

_LOOKED_CHIPS = 20
_KEPT = ("weights_sha256", "bands", "sensor", "level", "is_simulated", "source", "pooling")


@dataclass(frozen=True)
class _Placed:
    """The chips with their places.

    Attributes:
        shapes: rows and columns of patches, and dimensions, of each layer's first chip.
        layouts: of the layers in tables.
        tiles: by stem, of the coarsest layer's patches.
    """

    shapes: Mapping[int, tuple[int, int, int]]
    layouts: Mapping[int, PatchLayout]
    tiles: Mapping[str, StoredTile]


@contextmanager
def taken_folder(path: Path, region: Region | None, images: Path | None) -> Iterator[Taken]:
    """The embeddings of a folder, all layers of it; or of one table.

    Args:
        images: folder with the images of the same stems, for chips without a place of their own.

    Raises:
        StoreError: files are missing, damaged, of several kinds, or nothing says where they lie.
        RegionError: no chip meets the region.
    """
    found = chip_layers(path)
    placed = _of_tables(found, images) if found.is_table else _of_tiffs(found, images)
    chosen = tiles_that_meet(tuple(placed.tiles.values()), region, path.name)
    tiles = {
        stem: tile for (stem, tile), is_chosen in zip(placed.tiles.items(), chosen, strict=True) if is_chosen
    }
    cells, dims = _cells(found, placed.shapes, next(iter(tiles.values())))
    reader = ChipReader(placed.layouts)
    stems, first = list(tiles), found.numbers[0]
    shown = [
        reader.read(first, found.chips[first][stem]) for stem in stems[:: max(1, len(stems) // _LOOKED_CHIPS)]
    ]
    chips = [{layer: found.chips[layer][stem] for layer in found.numbers} for stem in stems]
    own = _own(path, found, cells, dims, list(tiles.values()))
    notes = [layout.note for layout in placed.layouts.values()]
    yield Taken(
        understood_chips(path, found, list(tiles.values()), dims[first], shown, own, dict.fromkeys(filter(None, notes))),
        _granularity(found.summary, list(tiles.values())), own["patch_px"],
        lambda: tiles_of_chips(reader, chips, list(tiles.values()), dims, cells), own, len(tiles),
        {**chips_told(path, chips, placed.layouts), "tiles": [asdict(tile) for tile in tiles.values()]},
    )  # fmt: skip


def _own(
    path: Path,
    found: ChipLayers,
    cells: Mapping[int, int],
    dims: Mapping[int, int],
    tiles: Sequence[StoredTile],
) -> dict[str, Any]:
    """What the store says of itself."""
    told = {name: value for name, value in own_fields(found.summary).items() if name in _KEPT}
    numbers = found.numbers
    return {
        "layers": numbers, "dims": tuple(dims.values()), "columns": column_names(numbers),
        "cells": tuple(cells.values()) if max(cells.values()) > 1 else (), "source": f"embeddings in {path.name}",
        **told, **_besides(found.summary), "patch_px": _patch_px(tiles, path),
    }  # fmt: skip


def _of_tiffs(found: ChipLayers, images: Path | None) -> _Placed:
    """Places and shapes by the headers of the files."""
    shapes = {layer: _shape(found.first(layer)) for layer in found.numbers}
    coarsest = min(found.numbers, key=lambda layer: shapes[layer][:2])
    tiles = {}
    for stem in found.stems:
        with open_raster(found.chips[coarsest][stem].path) as dataset:
            tiles[stem] = chip_tile(dataset, stem, images)
    return _Placed(shapes, {}, tiles)


def _shape(chip: ChipFile) -> tuple[int, int, int]:
    with open_raster(chip.path) as dataset:
        return dataset.height, dataset.width, dataset.count


def _of_tables(found: ChipLayers, images: Path | None) -> _Placed:
    """Places by the images or the geometries, shapes by the lists of the first chip."""
    places = placed_rows({stem: found.chips[found.numbers[0]][stem] for stem in found.stems}, images)
    aspect, reader = aspect_of(places[found.stems[0]]), ChipReader({})
    layouts = {}
    for layer in found.numbers:
        chip = found.first(layer)
        layouts[layer] = layout_of(reader.nested(chip).shape, aspect, chip.path.name)
        require_one_size(list(found.chips[layer].values()), math.prod(layouts[layer].shape))
    shapes = {layer: (one.h, one.w, one.dim) for layer, one in layouts.items()}
    h, w, _ = min(shapes.values(), key=lambda shape: shape[:2])
    return _Placed(shapes, layouts, {stem: tile_at(places[stem], stem, h, w) for stem in found.stems})


def _cells(
    found: ChipLayers, shapes: Mapping[int, tuple[int, int, int]], tile: StoredTile
) -> tuple[dict[int, int], dict[int, int]]:
    """Of each layer, how many of its patches lie along one of the coarsest layer, and the numbers of a row.

    Raises:
        StoreError: the patches of one layer do not divide those of another.
    """
    cells, dims = {}, {}
    for layer, (h, w, dim) in shapes.items():
        if h % tile.h or w % tile.w or h // tile.h != w // tile.w:
            raise StoreError(
                f"{found.folders[layer].name} has {h} x {w} patches a chip, which do not fit the {tile.h} x {tile.w} of the coarsest layer. "
                f"Give the folder of one layer."
            )
        cells[layer] = h // tile.h
        dims[layer] = dim * (h // tile.h) ** 2
    return cells, dims


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
