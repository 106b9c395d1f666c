"""Figures of the store: writing and reading back beside one file a tile, with a plain numpy file as the limit.

python tests/bench/store.py --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from affine import Affine

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.store.schema import SCHEMA_VERSION, StoredTile, StoreMeta, TileRows
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter

SIDE = 14  # patches along a side of a tile of 224 px


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tiles", type=int, default=1400, help="tiles of the whole-store figures (768 numbers a patch)"
    )
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument(
        "--many", type=int, default=10_000, help="tiles of the one-tile figure (64 numbers a patch)"
    )
    parser.add_argument(
        "--files", type=int, default=200, help="tiles written one file each; their times are scaled"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        found = whole_store(Path(room), chosen.tiles, chosen.dim, min(chosen.files, chosen.tiles))
        found |= one_tile(Path(room), chosen.many)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>32}  {value:.4g}")


def whole_store(room: Path, tiles: int, dim: int, files: int) -> dict[str, Any]:
    """Write and read everything, by store, by numpy file and by one file a tile."""
    some_values(dim)
    write_s, store = timed(lambda: make_store(room / "half", tiles, dim, "float16"))
    single = make_store(room / "single", min(files, tiles), dim, "float32")
    array = store.read()
    np.save(room / "plain.npy", array)
    read_s, load_s = best(store.read), best(lambda: np.load(room / "plain.npy"))
    scale = tiles / files
    geotiff_s, parquet_s = (
        timed(lambda writer=writer: [writer(room, i, tile_values(i, dim)) for i in range(files)])[0] * scale
        for writer in (write_geotiff, write_parquet)
    )
    geotiff_read_s = best(lambda: [read_geotiff(room / f"{i}.tif") for i in range(files)], 2) * scale
    parquet_read_s = best(lambda: [read_parquet(room / f"{i}.parquet") for i in range(files)], 2) * scale
    return {
        "tiles": tiles,
        "dim": dim,
        "megabytes": store.bytes_on_disk / 1e6,
        "write_s": write_s,
        "read_s": read_s,
        "np_load_s": load_s,
        "read_over_np_load": read_s / load_s,
        "bytes_over_float32": store.bytes_on_disk / store.rows / (single.bytes_on_disk / single.rows),
        "file_a_tile_geotiff_write_ratio": geotiff_s / write_s,
        "file_a_tile_geotiff_read_ratio": geotiff_read_s / read_s,
        "file_a_tile_parquet_write_ratio": parquet_s / write_s,
        "file_a_tile_parquet_read_ratio": parquet_read_s / read_s,
    }


def one_tile(room: Path, tiles: int) -> dict[str, Any]:
    """Median time of one tile out of many, the store being open."""
    store = make_store(room / "many", tiles, 64, "float16")
    chosen = np.random.default_rng(0).choice(len(store.tiles), 200)
    times = [timed(lambda index=index: store.read_tile(store.tiles[index].id))[0] for index in chosen]
    return {"one_tile_of": tiles, "one_tile_ms": 1e3 * float(np.median(times))}


def tile_values(index: int, dim: int) -> np.ndarray:
    return some_values(dim)[index % 16]


@lru_cache
def some_values(dim: int) -> np.ndarray:
    """Embeddings of 16 tiles, made beforehand: chance takes longer than writing it."""
    return np.random.default_rng(dim).standard_normal((16, SIDE * SIDE, dim), dtype=np.float32)


def make_store(folder: Path, tiles: int, dim: int, dtype: str) -> EmbeddingStore:
    meta = StoreMeta(SCHEMA_VERSION, "raw", "random", (0,), (dim,), ("embedding",), "patch", None, 16, 30.0, dtype,
                     ("blue",), True, "", "", {})  # fmt: skip
    writer = StoreWriter(folder, meta)
    size = SIDE * 16
    for index in range(tiles):
        row, column = divmod(index, 100)
        transform = (30.0, 0.0, 200_000 + column * size * 30.0, 0.0, -30.0, 6e6 - row * size * 30.0)
        tile = StoredTile(f"t{index}", "EPSG:32618", transform, SIDE, SIDE, size, size, (None,), ("s",), None)
        writer.append(TileRows(tile, (tile_values(index, dim),), np.ones(SIDE * SIDE, np.float32)))
    return EmbeddingStore.open(writer.finish())


def write_geotiff(room: Path, index: int, values: np.ndarray) -> None:
    bands = values.T.reshape(-1, SIDE, SIDE)
    profile = {"driver": "GTiff", "count": len(bands), "height": SIDE, "width": SIDE, "dtype": "float32"}
    with rasterio.open(room / f"{index}.tif", "w", transform=Affine.scale(480, -480), **profile) as out:
        out.write(bands)


def read_geotiff(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read().reshape(dataset.count, -1).T


def write_parquet(room: Path, index: int, values: np.ndarray) -> None:
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]),
        pa.array(values.astype(np.float64).ravel()),
    )
    pq.write_table(pa.table({"embedding": lists}), room / f"{index}.parquet")


def read_parquet(path: Path) -> np.ndarray:
    column = pq.read_table(path)["embedding"].combine_chunks()
    return column.values.to_numpy().reshape(len(column), -1)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def best(work: Callable[[], Any], times: int = 5) -> float:
    """Shortest of several times: the others measure what else the machine did."""
    return min(timed(work)[0] for _ in range(times))


if __name__ == "__main__":
    main()
