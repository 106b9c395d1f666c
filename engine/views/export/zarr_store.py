"""A layer as a Zarr store of the geoemb convention: a group a UTM zone, in it embeddings by date, dimension, row and column.

Keys: geo-embeddings/embeddings-zarr-convention v1; zarr-conventions spatial v1 and geo-proj v1 for places. Arrays and their
order are those of TESSERA's stores, so that one reader reads both.
"""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS

from engine.errors import StoreError
from engine.files import slug
from engine.store.emb_footer import model_address, warnings_of
from engine.views.export.asked import Export, Made, notice_of, own_facts
from engine.views.export.quantisation import LossMeter, by_row, to_float16
from engine.views.export.zarr_grids import ZarrGrid, grids_of, is_utm

if TYPE_CHECKING:
    from zarr import Array, Group

EMBEDDINGS, SCALES = "embeddings", "scales"
# Each grid is a group with files of its own; a store of more lies on no common grid at all.
_MOST_GRIDS = 5_000
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
    times its scale. `x` and `y` are the middles of the patches.

    Raises:
        StoreError: the tiles lie on too many grids.
    """
    import zarr

    grids = grids_of(asked.store.tiles)
    if len(grids) > _MOST_GRIDS:
        raise StoreError(
            f"The tiles of {asked.store.folder} lie on {len(grids):,} grids, and a Zarr store here holds {_MOST_GRIDS:,}. Export as "
            f"geoparquet."
        )
    root = zarr.create_group(asked.out, zarr_format=3)
    arrays = {grid.group: _create(root, grid, asked) for grid in grids}
    grid_of = {tile.id: grid for grid in grids for tile in grid.tiles}
    meter = LossMeter(asked.dtype, "one scale a patch" if asked.dtype == "int8" else "rounded")
    count = 0
    for tile, values, _ in asked.tiles("Writing embeddings"):
        count += int(np.isfinite(values[..., 0]).sum())
        grid = grid_of[tile.id]
        date, row, column = grid.place(tile)
        where = (date, slice(row, row + tile.h), slice(column, column + tile.w))
        _put(arrays[grid.group], where, values, asked, meter)
    loss = meter.loss() if asked.is_smaller else None
    root.update_attributes(_told(asked, grids, count, loss.facts() if loss else None))
    _consolidate(asked.out, grids)
    notes = [f"The tiles lie on {len(grids):,} grids; each is a group of its own."] if len(grids) > 1 else []
    return Made((asked.out,), tuple(notes), loss)


def _consolidate(folder: Path, grids: list[ZarrGrid]) -> None:
    """Gather what is told of all arrays in each group, where xarray looks first; the format does not name it yet."""
    import zarr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for group in (*(grid.group for grid in grids), None):
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
        moments = [datetime.fromisoformat(moment) for moment in stated]
        dates = group.create_array("time", shape=(len(moments),), dtype="int64", dimension_names=("time",))
        dates[:] = [round((one if one.tzinfo else one.replace(tzinfo=UTC)).timestamp()) for one in moments]
        dates.attrs.update(
            {
                "units": "seconds since 1970-01-01T00:00:00",
                "calendar": "proleptic_gregorian",
                "standard_name": "time",
            }
        )


def _put(
    arrays: dict[str, Array[Any]], where: tuple[Any, ...], values: np.ndarray, asked: Export, meter: LossMeter
) -> None:
    """One tile; its gaps stay what the array is filled with."""
    date, rows, columns = where
    if asked.dtype == "int8":
        numbers, scales = by_row(values)
        meter.add(values, numbers.astype(np.float32) * scales[..., None])
        arrays[SCALES][date, rows, columns] = scales
    else:
        numbers = to_float16(values) if asked.dtype == "float16" else values
        meter.add(values, numbers.astype(np.float32))
    arrays[EMBEDDINGS][date, :, rows, columns] = np.moveaxis(numbers, -1, 0)


def _told(asked: Export, grids: list[ZarrGrid], count: int, loss: dict[str, Any] | None) -> dict[str, Any]:
    """The attributes of the root."""
    meta = asked.store.meta
    is_of_zones = all(is_utm(grid.crs) for grid in grids)
    told = {
        "zarr_conventions": [_GEOEMB],
        **_geoemb(asked, None if len(grids) > 1 else grids[0]),
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
    crs = CRS.from_user_input(grid.crs)
    authority = crs.to_authority()
    return {
        **({"proj:code": ":".join(authority)} if authority else {"proj:wkt2": crs.to_wkt("WKT2_2019")}),
        "spatial:dimensions": ["y", "x"], "spatial:transform": [float(one) for one in grid.transform[:6]],
        "spatial:shape": [grid.height, grid.width], "spatial:bbox": list(grid.bounds), "spatial:registration": "pixel",
    }  # fmt: skip
