"""A layer as Cloud-Optimised GeoTIFFs: a band a dimension, a file for each CRS, resolution and date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pyproj import CRS

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.views.export.asked import Export, Made
from engine.views.export.map_dates import date_labels, stated_date
from engine.views.export.map_steps import Steps, alphaearth_steps, is_alphaearth, linear_steps
from engine.views.export.quantisation import GAP, LossMeter
from engine.views.maps.mosaic import MosaicLayout, write_pieces
from engine.views.maps.overlay import store_tags

# GeoTIFF counts bands in 16 bits (TIFF 6.0, SamplesPerPixel).
MAX_BANDS = 65_535
_ON_GRID_CELLS = 1e-3
# Zones, patch sizes and dates of an extraction; footprints of a table may each have a size of their own.
_MOST_MAPS = 500
Piece = tuple[StoredTile, np.ndarray]


def write_geotiff(asked: Export) -> Made:
    """Write a map for each CRS and resolution, and of ground with several dates for each date.

    Their names end in what tells one from the others (`out_epsg32618_2021-03-18.tif`).

    float32: NaN where there is no valid pixel (GDAL before 3.11 has no float16). int8: -128 for gaps, and each band's scale in
    the file, so that readers which apply it get the embeddings back; AlphaEarth's are written as they are published. Nothing is resampled between zones, and no embedding
    hides another.

    Raises:
        StoreError: more dimensions than bands, or a map over the size limit.
    """
    found = maps(asked.store.tiles)
    made = write_maps(asked, {name: asked.out.with_stem(asked.out.stem + name) for name in found})
    dates = [stated_date(tile for tile in asked.store.tiles if tile.id in ids)[1] for ids in found.values()]
    return replace(made, notes=(*made.notes, *filter(None, dict.fromkeys(dates))))


def write_maps(asked: Export, paths: Mapping[str, Path]) -> Made:
    """Write the maps of `maps` to these paths."""
    require_bands(asked.dim)
    _require_few(len(paths))
    steps = _steps(asked) if asked.dtype == "int8" else None
    meter = LossMeter("int8", steps.method if steps else "")
    found, moved = maps(asked.store.tiles), 0
    for name, path in paths.items():
        ids = found[name]
        tags = (
            store_tags(asked.store, asked.layer) | _date_tag(asked, ids) | dict(steps.tags if steps else ())
        )
        layout = MosaicLayout(
            level="patch", nodata=GAP if steps else float("nan"), dtype=asked.dtype, colormap=None, tags=tags,
            band_names=(steps.band_names if steps else ()) or _band_names(asked), scales=steps.scales if steps else (),
        )  # fmt: skip
        write_pieces(path, _pieces(asked, ids, steps, meter, name), layout)
        moved += off_grid([tile for tile in asked.store.tiles if tile.id in ids])
    notes = (
        f"{moved:,} of {len(asked.store.tiles):,} tiles do not lie on the grid of their map: their patches are at the nearest cells, up to "
        f"half a patch away. GeoParquet and Zarr keep every place.",
    )
    loss = meter.loss() if steps else None
    back = None if steps is None else lambda values: steps.decode(steps.encode(values))
    return Made(tuple(paths.values()), notes if moved else (), loss, back)


def require_bands(dim: int) -> None:
    """Check that a GeoTIFF holds so many bands.

    Raises:
        StoreError: it does not.
    """
    if dim > MAX_BANDS:
        raise StoreError(
            f"The embeddings have {dim:,} dimensions, and a GeoTIFF holds {MAX_BANDS:,} bands. Export as npz."
        )


def _require_few(count: int) -> None:
    """Check that the maps are as many as somebody can use.

    Raises:
        StoreError: they are more: chips of any place and size, each of which would be a map of one cell.
    """
    if count > _MOST_MAPS:
        raise StoreError(
            f"The tiles would be {count:,} maps of different zones, patch sizes or dates, and {_MOST_MAPS} are the most. Export as "
            f"geoparquet, zarr or npz, which hold tiles of any place."
        )


def maps(tiles: Sequence[StoredTile]) -> dict[str, set[str]]:
    """The tiles of each map by what its name ends in: of one CRS and resolution, and each ground once."""
    zones = list(dict.fromkeys(tile.crs for tile in tiles))
    codes = [CRS.from_user_input(crs).to_epsg() for crs in zones]
    names = [f"_epsg{code}" if code else f"_crs{index + 1}" for index, code in enumerate(codes)]
    cells = list(dict.fromkeys(cell_m(tile) for tile in tiles))
    labels = date_labels(tiles)
    found: dict[tuple[str, float, str], set[str]] = {}
    for tile, label in zip(tiles, labels, strict=True):
        found.setdefault((names[zones.index(tile.crs)], cell_m(tile), label), set()).add(tile.id)
    return {
        (zone if len(zones) > 1 else "")
        + (f"_{cell:g}m".replace(".", "p") if len(cells) > 1 else "")
        + (f"_{label}" if label else ""): ids
        for (zone, cell, label), ids in found.items()
    }


def cell_m(tile: StoredTile) -> float:
    """Side of a patch in metres of its CRS, to the millimetre."""
    return round(abs(tile.patch_transform.a), 3)


def off_grid(tiles: Sequence[StoredTile]) -> int:
    """How many of some tiles of one CRS and resolution do not lie on the grid of the first."""
    own = tiles[0].patch_transform
    count = 0
    for tile in tiles:
        column, row = ~own @ (tile.patch_transform.c, tile.patch_transform.f)
        count += max(abs(column - round(column)), abs(row - round(row))) > _ON_GRID_CELLS
    return count


def _pieces(
    asked: Export, ids: set[str], steps: Steps | None, meter: LossMeter, name: str
) -> Iterator[Piece]:
    for tile, values, _ in asked.tiles(f"Reading the patches of map {name.strip('_') or 'all'}"):
        if tile.id not in ids:
            continue
        if steps is not None:
            numbers = steps.encode(values)
            meter.add(values, steps.decode(numbers))
            yield tile, np.moveaxis(numbers, -1, 0)
        else:
            yield tile, np.moveaxis(values, -1, 0)  # (D, h, w)
    asked.tell("Writing the map", 0, 0)


def _steps(asked: Export) -> Steps:
    if is_alphaearth(asked.store.meta, asked.dim):
        return alphaearth_steps()
    shown = asked.tiles("Measuring the range of each dimension")
    return linear_steps(values.reshape(-1, asked.dim) for _, values, _ in shown)


def _date_tag(asked: Export, ids: set[str]) -> dict[str, str]:
    """The date of a map, where its tiles state one."""
    stated, _ = stated_date(tile for tile in asked.store.tiles if tile.id in ids)
    return {"EMBERSCOPE_DATETIME": stated} if stated else {}


def _band_names(asked: Export) -> tuple[str, ...]:
    backbone = asked.store.meta.backbone
    return tuple(f"{backbone} layer {asked.layer} dim {index}" for index in range(asked.dim))
