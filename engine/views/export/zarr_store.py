"""A layer as a Zarr store of the geoemb convention: a group a UTM zone, in it embeddings by date, dimension, row and column.

Keys: geo-embeddings/embeddings-zarr-convention v1; zarr-conventions spatial v1 and geo-proj v1 for places. Arrays and their
order are those of TESSERA's stores, so that one reader reads both.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS

from engine.files import slug
from engine.store.emb_footer import model_address, warnings_of
from engine.views.export.asked import Export, Made, notice_of, own_facts
from engine.views.export.quantisation import LossMeter, to_float16
from engine.views.export.zarr_chips import (
    ChipWriter,
    ChipZone,
    chip_zones,
    chunk_rows,
    coordinates,
    create_places,
)
from engine.views.export.zarr_grids import TIME_UNITS, ZarrGrid, grids_of, is_utm, seconds_of

if TYPE_CHECKING:
    from zarr import Array, Group

EMBEDDINGS, SCALES = "embeddings", "scales"
# Each grid is a group with files of its own; the tiles of a store of more lie on no common grid at all.
_MOST_GRIDS = 100
_SCHEMAS = "https://raw.githubusercontent.com"
_GEOEMB = {
    "schema_url": f"{_SCHEMAS}/geo-embeddings/embeddings-zarr-convention/refs/tags/v1/schema.json",
    "uuid": "61c12cc5-0e28-4056-999a-480cf3fb7e4c", "name": "geoemb:",
}  # fmt: skip
_SPATIAL = {
    "schema_url": f"{_SCHEMAS}/zarr-conventions/spatial/refs/tags/v1/schema.json",
    "uuid": "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4", "name": "spatial",
}  # fmt: skip
_PROJ = {
    "schema_url": f"{_SCHEMAS}/zarr-conventions/geo-proj/refs/tags/v1/schema.json",
    "uuid": "f17cb550-5864-4468-aeb7-f3180cfb622f", "name": "proj:",
}  # fmt: skip


def write_zarr(asked: Export) -> Made:
    """Write the groups, each date and chunk only where there are tiles.

    float16 and float32: NaN for gaps. int8: `scales` (date, row, column) beside, NaN for gaps, and an embedding is its numbers
    times its scale. `x` and `y` are the middles of the patches. Tiles that lie on no common grid are lists of chips
    (`zarr_chips.py`).
    """
    import zarr

    grids = grids_of(asked.store.tiles)
    is_listed = len(grids) > _MOST_GRIDS
    zones = chip_zones(asked.store.tiles) if is_listed else []
    root = zarr.create_group(asked.out, zarr_format=3)
    meter = LossMeter(asked.dtype, "one scale a patch" if asked.dtype == "int8" else "rounded")
    count = _write_chips(root, zones, asked, meter) if is_listed else _write_grids(root, grids, asked, meter)
    loss = meter.loss() if asked.is_smaller else None
    is_of_zones = all(is_utm(one.crs) for one in (zones or grids))
    one_grid = grids[0] if len(grids) == 1 else None
    root.update_attributes(_told(asked, one_grid, is_of_zones, count, loss.facts() if loss else None))
    _consolidate(asked.out, [one.group for one in (zones or grids)])
    return Made((asked.out,), _notes(grids, zones), loss)


def _notes(grids: list[ZarrGrid], zones: list[ChipZone]) -> tuple[str, ...]:
    if zones:
        return (
            f"The tiles lie on {len(grids):,} grids of their own: each of the {len(zones):,} zones is a list of chips with their places, not "
            f"an array of rows and columns.",
        )
    return (f"The tiles lie on {len(grids):,} grids; each is a group of its own.",) if len(grids) > 1 else ()


def _write_grids(root: Group, grids: list[ZarrGrid], asked: Export, meter: LossMeter) -> int:
    """Arrays by date, dimension, row and column; returns how many patches have data."""
    arrays = {grid.group: _create(root, grid, asked) for grid in grids}
    grid_of = {tile.id: grid for grid in grids for tile in grid.tiles}
    count = 0
    for tile, values, _ in asked.tiles("Writing embeddings"):
        count += int(np.isfinite(values[..., 0]).sum())
        grid = grid_of[tile.id]
        date, row, column = grid.place(tile)
        rows, columns = slice(row, row + tile.h), slice(column, column + tile.w)
        made = _numbers(values, asked, meter)  # gaps stay what the arrays are filled with
        arrays[grid.group][EMBEDDINGS][date, :, rows, columns] = np.moveaxis(made[EMBEDDINGS], -1, 0)
        if SCALES in made:
            arrays[grid.group][SCALES][date, rows, columns] = made[SCALES]
    return count


def _write_chips(root: Group, zones: list[ChipZone], asked: Export, meter: LossMeter) -> int:
    """Arrays by chip and dimension; returns how many chips have data."""
    writers = {zone.group: _create_chips(root, zone, asked) for zone in zones}
    group_of = {tile.id: zone.group for zone in zones for tile in zone.tiles}
    count = 0
    for tile, values, _ in asked.tiles("Writing embeddings"):
        count += int(np.isfinite(values[..., 0]).sum())
        made = _numbers(values.reshape(tile.rows, -1), asked, meter)
        writers[group_of[tile.id]].add(made)
    for writer in writers.values():
        writer.close()
    return count


def _create_chips(root: Group, zone: ChipZone, asked: Export) -> ChipWriter:
    """The arrays of a zone, without embeddings yet."""
    group, rows = root.require_group(zone.group), chunk_rows(zone, asked.dim)
    group.update_attributes({"zarr_conventions": [_GEOEMB, _PROJ], **_geoemb(asked, None), **_crs(zone.crs)})
    create_places(group, zone)
    arrays = {
        EMBEDDINGS: group.create_array(
            EMBEDDINGS, shape=(zone.rows, asked.dim), chunks=(rows, asked.dim), dtype=asked.dtype,
            fill_value=0 if asked.dtype == "int8" else float("nan"), dimension_names=("chip", "band"),
        )
    }  # fmt: skip
    if asked.dtype == "int8":
        arrays[SCALES] = group.create_array(
            SCALES, shape=(zone.rows,), chunks=(rows,), dtype="float32", fill_value=float("nan"), dimension_names=("chip",)
        )  # fmt: skip
    for array in arrays.values():
        array.attrs["coordinates"] = coordinates(group)
    return ChipWriter(arrays, rows)


def _consolidate(folder: Path, groups: list[str]) -> None:
    """Gather what is told of all arrays in each group, where xarray looks first; the format does not name it yet."""
    import zarr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for group in (*groups, None):
            zarr.consolidate_metadata(folder, path=group, zarr_format=3)


def _create(root: Group, grid: ZarrGrid, asked: Export) -> dict[str, Array[Any]]:
    """The arrays of a grid, without chunks yet."""
    group = root.require_group(grid.group)
    group.update_attributes(
        {"zarr_conventions": [_GEOEMB, _SPATIAL, _PROJ], **_geoemb(asked, grid), **_place(grid)}
    )
    shape, chunk = (grid.height, grid.width), (min(grid.side, grid.height), min(grid.side, grid.width))
    is_small = asked.dtype == "int8"
    made = {
        EMBEDDINGS: group.create_array(
            EMBEDDINGS, shape=(len(grid.moments), asked.dim, *shape), chunks=(1, asked.dim, *chunk), dtype=asked.dtype,
            fill_value=0 if is_small else float("nan"), dimension_names=("time", "band", "y", "x"),
        )
    }  # fmt: skip
    if is_small:
        made[SCALES] = group.create_array(
            SCALES, shape=(len(grid.moments), *shape), chunks=(1, *chunk), dtype="float32", fill_value=float("nan"),
            dimension_names=("time", "y", "x"),
        )  # fmt: skip
    _coordinates(group, grid)
    return made


def _coordinates(group: Group, grid: ZarrGrid) -> None:
    """Middles of the patches, and the dates as seconds, as the CF conventions have them."""
    step = grid.transform
    for name, length, first, each in (("x", grid.width, step.c, step.a), ("y", grid.height, step.f, step.e)):
        axis = group.create_array(name, shape=(length,), dtype="float64", dimension_names=(name,))
        axis[:] = first + (np.arange(length) + 0.5) * each
        axis.attrs.update({"units": "m", "standard_name": f"projection_{name}_coordinate"})
    stated = [moment for moment in grid.moments if moment is not None]
    if stated:
        moments = [seconds_of(moment) for moment in stated]
        dates = group.create_array("time", shape=(len(moments),), dtype="int64", dimension_names=("time",))
        dates[:] = moments
        dates.attrs.update(TIME_UNITS)


def _numbers(values: np.ndarray, asked: Export, meter: LossMeter) -> dict[str, np.ndarray]:
    """(..., D) embeddings, NaN for gaps, as the arrays hold them."""
    if asked.dtype == "int8":
        numbers, scales = asked.by_row(values)
        meter.add(values, numbers.astype(np.float32) * scales[..., None])
        return {EMBEDDINGS: numbers, SCALES: scales}
    numbers = to_float16(values) if asked.dtype == "float16" else values
    meter.add(values, numbers.astype(np.float32))
    return {EMBEDDINGS: numbers}


def _told(
    asked: Export, grid: ZarrGrid | None, is_of_zones: bool, count: int, loss: dict[str, Any] | None
) -> dict[str, Any]:
    """The attributes of the root.

    Args:
        grid: of all tiles, where they have one.
    """
    meta = asked.store.meta
    told = {
        "zarr_conventions": [_GEOEMB],
        **_geoemb(asked, grid),
        **({"geoemb:spatial_layout": "utm_zones"} if is_of_zones else {}),
        "notice": notice_of(meta),
        "warnings": list(warnings_of(meta)),
        "license": meta.licence or None,
        "attribution": meta.attribution or None,
        # a chunk that is lost reads as a gap: the count tells
        "emberscope": {**own_facts(asked.meta, asked.store.tiles), "patches_with_data": count},
    }
    return {**told, "quantisation_loss": loss} if loss else told


def _geoemb(asked: Export, grid: ZarrGrid | None) -> dict[str, Any]:
    """What the convention asks of a group; of all groups together where no grid is given."""
    meta, tile = asked.store.meta, (grid.tiles if grid else asked.store.tiles)[0]
    is_pixel = meta.granularity == "patch" and meta.patch_px == 1
    chip = [tile.height_px // tile.h, tile.width_px // tile.w]
    told: dict[str, Any] = {
        "geoemb:type": "pixel" if is_pixel else "chip", "geoemb:dimensions": asked.dim,
        "geoemb:model": model_address(meta.backbone), "geoemb:source_data": [source_address(meta.source)],
        "geoemb:data_type": asked.dtype, "geoemb:gsd": meta.gsd_m,
    }  # fmt: skip
    if not is_pixel:
        told["geoemb:chip_layout"] = {
            "layout_type": "regular_grid" if grid else "irregular",
            "chip_size": chip,
        }
    if asked.dtype == "int8":
        told["geoemb:quantization"] = {
            "method": "per_pixel_scale", "original_dtype": meta.dtype, "quantized_dtype": "int8",
            "scale": {"type": "array", "array_name": SCALES, "nodata": "NaN"},
        }  # fmt: skip
    return told


def source_address(source: str) -> str:
    """A name of ours for what the embeddings were made of: stores say it in words (RFC 8141)."""
    return f"urn:emberscope:source:{slug(source, '._', most=120).strip('-') or 'not-stated'}"


def _place(grid: ZarrGrid) -> dict[str, Any]:
    """CRS and affine of a group."""
    return {
        **_crs(grid.crs),
        "spatial:dimensions": ["y", "x"], "spatial:transform": [float(one) for one in grid.transform[:6]],
        "spatial:shape": [grid.height, grid.width], "spatial:bbox": list(grid.bounds), "spatial:registration": "pixel",
    }  # fmt: skip


def _crs(stated: str) -> dict[str, str]:
    crs = CRS.from_user_input(stated)
    code = ":".join(crs.to_authority() or ())
    # the nearest code of a register may be of a CRS that differs by its axes or names
    return (
        {"proj:code": code}
        if code and CRS.from_user_input(code) == crs
        else {"proj:wkt2": crs.to_wkt("WKT2_2019")}
    )
