"""The forms in which embeddings are published, each over the same ground in two years; a table that tests go through."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import rasterio
import shapely
import zarr
from affine import Affine
from pyproj import Transformer

from tests.unit.store.products.made import CRS, NORTH, WEST, alphaearth, write_tiff
from tests.unit.store.products.test_tables import write_table

SIDE, YEARS = 48, (2022, 2023)
_TILE_PX = 6  # of tables: a row a tile of so many pixels
_UTM_FROM = Affine(10, 0, WEST, 0, -10, NORTH)
Made = tuple[Path, dict[str, Any]]


def burnt() -> np.ndarray:
    """(SIDE, SIDE) 0 or 1: what burned in the second year, in columns so that every place has both."""
    row, column = np.mgrid[0:SIDE, 0:SIDE]
    return ((column // 6 + row // 18) % 2).astype(np.uint8)


def vectors(year: int, dim: int, step: int = 1) -> np.ndarray:
    """(h, w, dim) float32 of length 1, every so many pixels; only in the second year burnt ground is unlike the rest."""
    drawn = np.random.default_rng(year)
    ends = np.random.default_rng(0).normal(size=(2, dim))
    seen = ends[burnt()[step // 2 :: step, step // 2 :: step] * (year == YEARS[1])]
    seen = seen + drawn.normal(scale=0.1, size=seen.shape)
    return (seen / np.linalg.norm(seen, axis=-1, keepdims=True)).astype(np.float32)


def _alphaearth(folder: Path, year: int) -> Made:
    return alphaearth(folder / f"annual/{year}/18N/x.tiff", vectors(year, 64)), {"in_place": True}


def _tessera(folder: Path, year: int) -> Made:
    return write_tiff(folder / f"{year}/grid_-76.15_37.05_{year}.tiff", vectors(year, 128) * 5), {
        "in_place": True
    }


def _tessera_zarr(folder: Path, year: int) -> Made:
    group = zarr.open_group(folder / "t.zarr" / "utm18", mode="w", zarr_format=3)
    group.update_attributes({"proj:code": CRS, "spatial:transform": list(_UTM_FROM)[:6]})
    values = np.moveaxis(np.round(vectors(year, 128) * 127 / 0.6), -1, 0).clip(-127, 127).astype(np.int8)
    group.create_array(
        "embeddings", data=values[None], chunks=(1, 128, 32, 32), dimension_names=("time", "band", "y", "x")
    )
    scales = np.full((1, SIDE, SIDE), 0.01, np.float32)
    group.create_array("scales", data=scales, chunks=(1, 32, 32), dimension_names=("time", "y", "x"))
    group.create_array("time", data=np.array([year], np.int32), dimension_names=("time",))
    return folder / "t.zarr", {"in_place": True}


def _geoemb(folder: Path, year: int) -> Made:
    """Two years in one group: the one that is asked for is the last."""
    group = zarr.open_group(folder / "g.zarr", mode="w", zarr_format=3)
    group.update_attributes(
        {"type": "pixel", "dimensions": 16, "model": "https://example.org/some-model", "source_data": ["https://example.org"],
         "data_type": "float32", "proj:code": CRS, "spatial:transform": list(_UTM_FROM)[:6]}
    )  # fmt: skip
    both = np.stack([np.moveaxis(vectors(one, 16), -1, 0) for one in (2022, year)])
    group.create_array(
        "embeddings", data=both, chunks=(1, 16, 32, 32), dimension_names=("time", "band", "y", "x")
    )
    group.create_array("time", data=np.array([2021, year], np.int32), dimension_names=("time",))
    return folder / "g.zarr", {"in_place": True, "year": year}


def _plain(folder: Path, year: int) -> Made:
    return write_tiff(folder / f"mine_{year}.tif", vectors(year, 12)), {"model": "mine"}


def _rslearn(folder: Path, year: int) -> Made:
    window = folder / "windows" / "all" / "w0"
    file = window / "layers" / "embeddings" / "B" / "geotiff.tif"
    write_tiff(file, vectors(year, 32, 2), transform=_UTM_FROM @ Affine.scale(2))
    (window / "metadata.json").write_text(json.dumps({"time_range": [f"{year}-06-01T00:00:00+00:00"] * 2}))
    return folder, {"model": "olmoearth"}


def _terratorch(folder: Path, year: int) -> Made:
    """Four chips, whose images say where they lie."""
    half = SIDE // 2
    for number in range(4):
        top, left = divmod(number, 2)
        rows, columns = (slice(one * half, one * half + half) for one in (top, left))
        image = np.zeros((half, half, 1), np.uint8)
        placed = _UTM_FROM @ Affine.translation(columns.start, rows.start)
        write_tiff(folder / "images" / f"chip{number}_{year}0801.tif", image, transform=placed)
        values = np.moveaxis(
            vectors(year, 24, 2)[top * 12 : top * 12 + 12, left * 12 : left * 12 + 12], -1, 0
        )
        path = folder / "out" / "layer_11" / f"chip{number}_{year}0801_embedding.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(path, "w", driver="GTiff", height=12, width=12, count=24, dtype="float32") as out:
            out.write(values)
    return folder / "out", {"model": "terramind_v1_tiny", "images": folder / "images"}


def _squares() -> list[shapely.Polygon]:
    lonlat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    found = []
    for top in range(0, SIDE, _TILE_PX):
        for left in range(0, SIDE, _TILE_PX):
            corners = [_UTM_FROM @ (left + dx, top + dy) for dx, dy in ((0, 0), (0, 6), (6, 6), (6, 0))]
            found.append(shapely.Polygon([lonlat.transform(*one) for one in corners]))
    return found


def _table(
    columns: Callable[[int, int], dict[str, Any]], name: str, dim: int, **more: Any
) -> Callable[[Path, int], Made]:
    def make(folder: Path, year: int) -> Made:
        folder.mkdir(parents=True, exist_ok=True)
        squares, values = _squares(), vectors(year, dim, _TILE_PX).reshape(-1, dim)
        flat = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), dim)
        kept = {**columns(len(squares), year), name: flat}
        emb = (
            {"model": {"id": "earth-index"}, "license": "CC-BY-4.0", "datetime": str(year)}
            if more.get("emb")
            else None
        )
        return write_table(folder / "rows.parquet", kept, squares, emb), dict(more.get("said", {}))

    return make


FORMS: dict[str, Callable[[Path, int], Made]] = {
    "AlphaEarth": _alphaearth,
    "TESSERA": _tessera,
    "TESSERA Zarr": _tessera_zarr,
    "geoemb Zarr": _geoemb,
    "GeoTIFF": _plain,
    "rslearn": _rslearn,
    "TerraTorch": _terratorch,
    "Clay": _table(
        lambda rows, year: {"index": range(rows), "datetime": [datetime(year, 8, 1, tzinfo=UTC)] * rows}, "embeddings", 768
    ),
    "Major TOM": _table(
        lambda rows, year: {"unique_id": [str(row) for row in range(rows)], "grid_cell": ["922D_249L"] * rows, "grid_row_u": [922] * rows,
                            "grid_col_r": [-249] * rows, "timestamp": [f"{year}-08-01 10:20:31"] * rows, "centre_lat": [37.0] * rows},
        "embedding", 64, said={"model": "ssl4eo"},
    ),
    "Earth Index": _table(lambda rows, _: {"id": [str(row) for row in range(rows)]}, "embedding", 384, emb=True),
}  # fmt: skip
