"""Figures of embeddings that others made: the first picture of a window of a large 8-bit COG, and the row groups that a region touches.

python tests/bench/foreign.py --json
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
import shapely
from affine import Affine

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.imagery.region import Region
from engine.store.importing.preview import middle_of, preview
from engine.store.products.tables.row_groups import groups_that_meet

SIDE_PX, WINDOW_PX, BLOCK_PX, BANDS = 2048, 1000, 512, 64
ROWS_A_GROUP, DIM = 50_000, 8
WEST, SOUTH, STEP_DEG = -80.0, 30.0, 0.001


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--picture", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.picture:
        print(json.dumps(picture(Path(chosen.picture))))
        return
    with tempfile.TemporaryDirectory() as room:
        found = {**_in_own_process(write_cog(Path(room))), **touched(write_table(Path(room), chosen.rows))}
    print(
        json.dumps(found) if chosen.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def write_cog(room: Path) -> Path:
    """A file of AlphaEarth's form: smooth ground in 64 bands of int8, tiled, ZSTD, south-up."""
    path, drawn = room / "annual/2023/18N/x.tiff", np.random.default_rng(0)
    path.parent.mkdir(parents=True)
    coarse = drawn.normal(size=(BANDS, SIDE_PX // 16, SIDE_PX // 16)).astype(np.float32)
    coarse /= np.linalg.norm(coarse, axis=0)
    numbers = np.clip(np.round(np.sign(coarse) * np.sqrt(np.abs(coarse)) * 127.5), -127, 127).astype(np.int8)
    with rasterio.open(
        path, "w", driver="GTiff", height=SIDE_PX, width=SIDE_PX, count=BANDS, dtype="int8", crs="EPSG:32618", nodata=-128,
        transform=Affine(10, 0, 400_000, 0, 10, 4_000_000), compress="zstd", tiled=True, blockxsize=BLOCK_PX, blockysize=BLOCK_PX,
    ) as file:  # fmt: skip
        for band in range(BANDS):
            file.write(numbers[band].repeat(16, 0).repeat(16, 1), band + 1)
            file.set_band_description(band + 1, f"A{band:02d}")
    return path


def picture(path: Path) -> dict[str, Any]:
    """Seconds until the middle 1000 x 1000 pixels are a picture, and the memory of the process."""
    lon, lat = -75.99, 36.23  # the middle of the file
    half = WINDOW_PX * 10 / 2 / 111_000
    region = Region.from_bounds(lon - half, lat - half, lon + half, lat + half)
    began = time.perf_counter()
    found = preview(path, region, None, None)
    seconds = time.perf_counter() - began
    assert found.understood.model == "alphaearth_v1" and not found.is_middle
    assert middle_of(found.understood, 100.0)
    return {
        "window": found.understood.size, "first_picture_s": round(seconds, 2),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }  # fmt: skip


def _in_own_process(path: Path) -> dict[str, Any]:
    """As `picture`, in a process that has done nothing else."""
    ran = subprocess.run(
        [sys.executable, __file__, "--picture", str(path)], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def write_table(room: Path, rows: int) -> Path:
    """A GeoParquet with a bbox covering; row groups are squares of ground, as an order along a curve makes them."""
    side = int(ROWS_A_GROUP**0.5)
    across = max(1, int((rows / side**2) ** 0.5))
    box = [pa.field(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")]
    covering = {"bbox": {field.name: ["bbox", field.name] for field in box}}
    geo = {"version": "1.1.0", "primary_column": "geometry",
           "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon"], "covering": covering}}}  # fmt: skip
    schema = pa.schema(
        [("embedding", pa.list_(pa.float32(), DIM)), ("geometry", pa.binary()), ("bbox", pa.struct(box))],
        metadata={b"geo": json.dumps(geo).encode()},
    )
    path, place = room / "x.parquet", np.stack(np.mgrid[0:side, 0:side], -1).reshape(-1, 2)
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for group in range(-(-rows // side**2)):
            row, column = divmod(group, across)
            west, south = (
                np.array([WEST + column * side * STEP_DEG, SOUTH + row * side * STEP_DEG]) + place * STEP_DEG
            ).T
            sides = [west, south, west + STEP_DEG, south + STEP_DEG]
            vectors = np.tile(np.linspace(1, 2, DIM, dtype=np.float32), len(place))
            file.write_table(
                pa.table([
                    pa.FixedSizeListArray.from_arrays(pa.array(vectors), DIM),
                    pa.array(shapely.to_wkb(shapely.box(*sides)), pa.binary()),
                    pa.StructArray.from_arrays([pa.array(one) for one in sides], fields=box),
                ], schema=schema),
                row_group_size=side**2,
            )  # fmt: skip
    return path


def touched(path: Path) -> dict[str, Any]:
    """Row groups that are read for a region, of those that hold a row in it."""
    region = Region.from_bounds(WEST + 0.3, SOUTH + 0.3, WEST + 0.6, SOUTH + 0.6)
    began = time.perf_counter()
    with pq.ParquetFile(path) as file:
        read = groups_that_meet(file, "geometry", region)
        seconds = time.perf_counter() - began
        needed = [
            group for group in read
            if shapely.intersects(
                shapely.from_wkb(file.read_row_group(group, columns=["geometry"])["geometry"].to_numpy()), region.polygon
            ).any()
        ]  # fmt: skip
        return {
            "rows": file.metadata.num_rows, "row_groups": file.num_row_groups, "groups_read": len(read),
            "groups_needed": len(needed), "read_of_needed": round(len(read) / max(len(needed), 1), 2), "choosing_s": round(seconds, 3),
        }  # fmt: skip


if __name__ == "__main__":
    main()
