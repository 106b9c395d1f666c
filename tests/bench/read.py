"""Figures of reading windows of bands: from files, from a netCDF cube, and over loopback HTTP with a delay, beside rasterio and the bare link.

python tests/bench/read.py --json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import h5py
import numpy as np
import rasterio
import urllib3
import xarray as xr
import yaml
from pyproj import CRS
from rasterio.windows import Window

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.extraction.pixels.tile_reader import read_ahead
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.remote.fetching import CONNECTIONS, RemoteRaster
from engine.imagery.remote.remote_file import write_remote
from engine.imagery.scene import Asset, Scene
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources import NetcdfScene
from tests.stac.items import write
from tests.stac.range_server import range_server

SIDE_PX, WINDOW_PX, BLOCK_PX, READERS, ROUNDS = 4096, 512, 512, 8, 3
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay-ms", type=float, default=50.0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        found = figures(Path(room), chosen.delay_ms / 1000)
    print(
        json.dumps(found) if chosen.json else "\n".join(f"{name}: {value}" for name, value in found.items())
    )


def figures(room: Path, delay_s: float) -> dict[str, Any]:
    os.environ["EMBERSCOPE_HOME"] = str(room / "home")
    (room / "home").mkdir()
    rng = np.random.default_rng(0)
    for band in BANDS:
        pixels = rng.integers(100, 4000, (SIDE_PX, SIDE_PX), dtype=np.int16)
        write(
            room / f"{band}.tif",
            pixels,
            10,
            -9999,
            driver="COG",
            compress="DEFLATE",
            blocksize=BLOCK_PX,
            overviews="NONE",
        )
    scene = scene_of(room, {band: room / f"{band}.tif" for band in BANDS})
    ours, theirs = [], []
    for _ in range(ROUNDS):  # in turn, so that what else the machine does meets both
        ours.append(timed(lambda: read_tiles(scene, 1)))
        theirs.append(timed(lambda: read_bare(room)))
    found: dict[str, Any] = {"local_share": round(median(theirs) / median(ours), 3)}
    found |= of_cube(room)
    with served(room, delay_s) as address:
        return found | over_the_network(room, address, delay_s)


def of_cube(room: Path) -> dict[str, Any]:
    """The same windows of a netCDF cube in chunks of 256 pixels, beside h5py alone."""
    with rasterio.open(room / "blue.tif") as dataset:
        x, y = (dataset.xy(0, range(SIDE_PX))[0], dataset.xy(range(SIDE_PX), 0)[1])
    images = {}
    for band in BANDS:
        with rasterio.open(room / f"{band}.tif") as dataset:
            said = {"_FillValue": np.int16(-9999), "grid_mapping": "crs", "scale_factor": 1e-4}
            images[band] = (("y", "x"), dataset.read(1), said)
    wkt = CRS.from_epsg(32633).to_wkt()
    path = room / "cube.nc"
    xr.Dataset(
        images,
        {"x": ("x", x, {"units": "m"}), "y": ("y", y, {"units": "m"}), "crs": ((), 0, {"crs_wkt": wkt})},
    ).to_netcdf(
        path, engine="h5netcdf", encoding={band: {"zlib": True, "chunksizes": (256, 256)} for band in BANDS}
    )
    (scene,) = NetcdfScene(source="netcdf", path=str(path)).find(room)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(timed(lambda: read_tiles(scene, 1)))
        theirs.append(timed(lambda: read_bare_cube(path)))
    return {"netcdf_share": round(median(theirs) / median(ours), 3)}


def read_bare_cube(path: Path) -> None:
    with h5py.File(path) as file:
        for row in range(0, SIDE_PX, WINDOW_PX):
            for column in range(0, SIDE_PX, WINDOW_PX):
                stored = [file[band][row : row + WINDOW_PX, column : column + WINDOW_PX] for band in BANDS]
                np.stack(stored) != -9999  # noqa: B015 - as every reader marks its gaps


def served(room: Path, delay_s: float) -> Any:
    """The files in a process of their own, so that the server takes nothing from the reader's turns."""
    return _Served(room, delay_s)


class _Served:
    def __init__(self, room: Path, delay_s: float) -> None:
        here, there = multiprocessing.Pipe()
        self._pipe = here
        self._process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(room, delay_s, there), daemon=True
        )

    def __enter__(self) -> str:
        self._process.start()
        return str(self._pipe.recv())

    def __exit__(self, *_: object) -> None:
        self._pipe.send("end")
        self._process.join(10)


def _serve(room: Path, delay_s: float, pipe: Any) -> None:
    with range_server(room) as server:
        server.latency_s = delay_s
        pipe.send(server.address)
        pipe.recv()


def over_the_network(room: Path, address: str, delay_s: float) -> dict[str, Any]:
    (room / "home" / "catalogues.yaml").write_text(
        yaml.safe_dump({"hosts": [address.removeprefix("http://")]})
    )
    paths = {band: room / f"{band}.tif.remote" for band in BANDS}
    ours, link, alone = [], [], []
    for number in range(ROUNDS):
        for band, path in paths.items():  # another address each time: nothing of it is in the cache
            write_remote(path, RemoteRaster(f"{address}/{band}.tif?{number}", "open", band), 1e9 + number)
        scene = scene_of(room, paths)
        ours.append(timed(lambda scene=scene: read_tiles(scene, READERS)))
        link.append(timed(lambda: bare_link(room, address)))
    alone.append(timed(lambda: read_bare(room, address)))
    return {
        "network_s": round(median(ours), 3), "link_s": round(median(link), 3), "rasterio_alone_s": round(median(alone), 3),
        "share_of_link": round(median(link) / median(ours), 3), "share_of_rasterio": round(median(alone) / median(ours), 3),
        "delay_ms": 1000 * delay_s,
    }  # fmt: skip


def scene_of(room: Path, paths: dict[str, Path]) -> Scene:
    """Six bands, each in a file of its own."""
    grid = file_scene_grid(room)
    sensor = SENSORS["hls"]
    assets = {
        band: Asset(path, 1, "EPSG:32633", sensor, 1e-4, 0.0, (-9999.0,)) for band, path in paths.items()
    }
    return Scene("bench", "bench", sensor, assets, None, grid, "surface", "", "")


def file_scene_grid(room: Path) -> Any:
    from odc.geo.geobox import GeoBox

    with rasterio.open(room / "blue.tif") as dataset:
        return GeoBox((dataset.height, dataset.width), dataset.transform, "EPSG:32633")


def tiles(scene: Scene) -> list[Tile]:
    steps = range(0, SIDE_PX, WINDOW_PX)
    return [Tile(f"{r}_{c}", scene.grid[r : r + WINDOW_PX, c : c + WINDOW_PX]) for r in steps for c in steps]


def read_tiles(scene: Scene, readers: int) -> None:
    """All windows as an extraction reads them, four a turn."""
    every = tiles(scene)
    batches = [every[start : start + 4] for start in range(0, len(every), 4)]

    def read(batch: Sequence[Tile], rasters: OpenRasters) -> int:
        return sum(read_chip([scene], tile, BANDS, rasters=rasters).stored.size for tile in batch)

    assert sum(read_ahead(batches, read, readers)) == SIDE_PX * SIDE_PX * len(BANDS)  # type: ignore[arg-type]


def read_bare(room: Path, address: str = "") -> None:
    """The same windows with rasterio alone, each file opened once; over the network by GDAL's own client."""
    options = {
        "CPL_VSIL_CURL_USE_HEAD": "NO",
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_NUM_THREADS": "1",
        "GDAL_CACHEMAX": 64,
    }
    with rasterio.Env(**options):
        files = [
            rasterio.open(f"/vsicurl/{address}/{band}.tif" if address else room / f"{band}.tif")
            for band in BANDS
        ]
        for row in range(0, SIDE_PX, WINDOW_PX):
            for column in range(0, SIDE_PX, WINDOW_PX):
                stored = [file.read(1, window=Window(column, row, WINDOW_PX, WINDOW_PX)) for file in files]
                np.stack(stored) != -9999  # noqa: B015 - as every reader marks its gaps
        for file in files:
            file.close()


def bare_link(room: Path, address: str) -> None:
    """The bytes of the blocks alone, over as many connections as we use, a block a request."""
    pool = urllib3.HTTPConnectionPool(*address.removeprefix("http://").split(":"), maxsize=CONNECTIONS)
    ranges = []
    for band in BANDS:
        with rasterio.open(room / f"{band}.tif") as dataset:
            for row in range(SIDE_PX // BLOCK_PX):
                for column in range(SIDE_PX // BLOCK_PX):
                    place = [
                        int(dataset.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=1))
                        for what in ("OFFSET", "SIZE")
                    ]
                    ranges.append((band, place[0], place[0] + place[1] - 1))

    def ask(wanted: tuple[str, int, int]) -> int:
        band, first, last = wanted
        return len(pool.request("GET", f"/{band}.tif", headers={"Range": f"bytes={first}-{last}"}).data)

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        assert sum(threads.map(ask, ranges)) > 0


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
