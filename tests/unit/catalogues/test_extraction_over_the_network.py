"""An extraction from a catalogue gives the embeddings of the same pixels in files, and brings little more than its blocks."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from engine.extraction.extract import extract
from engine.imagery.chip import read_chip
from engine.imagery.cut import cut_of, write_cut
from engine.imagery.grid import Tile
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.remote.fetching import RemoteRaster
from engine.imagery.remote.remote_file import write_remote
from engine.imagery.scene import Asset, Scene
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources import FileScene, SceneConfig, StacScene
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    TilesConfig,
    config_hash,
    parse_config,
)
from engine.store.store import EmbeddingStore
from tests.stac.items import BANDS, NORTH_M, WEST_M, write
from tests.stac.world import World


def embeddings(scene: SceneConfig, folder: Path, home: Path) -> np.ndarray:
    config = ExtractConfig(scene=scene, backbone=BackboneConfig(name="raw"), tiles=TilesConfig(size_px=64))
    folder.mkdir()
    list(extract(config, folder, home))
    return EmbeddingStore.open(folder / "store").read().astype(np.float32)


def test_embeddings_are_those_of_the_same_pixels_in_a_file(stac: World, home: Path, tmp_path: Path) -> None:
    source = StacScene.model_validate({
        "source": "stac", "catalogue": "pc", "collection": "hls2-s30", "bounds_lonlat": stac.bounds_lonlat,
        "dates": ("2023-06-01", "2023-06-15"), "clouds": "keep",
    })  # fmt: skip
    remote = embeddings(source, tmp_path / "remote", home)
    (scene,) = source.find(home)
    file = write_cut(cut_of(scene, None), tmp_path / "cut.tif")
    asked = len(stac.files.sent)
    local = embeddings(FileScene(source="file", path=str(file)), tmp_path / "local", home)
    assert len(stac.files.sent) == asked  # a cut needed what the extraction had fetched
    assert np.abs(remote - local).max() < 1e-3
    assert embeddings(source, tmp_path / "again", home) == pytest.approx(remote)


def test_a_configuration_is_read_back_and_has_a_hash(stac: World) -> None:
    tree = {
        "kind": "extract", "backbone": {"name": "raw"},
        "scene": {"source": "stac", "catalogue": "es", "collection": "sentinel-2-l2a", "bounds_lonlat": list(stac.bounds_lonlat),
                  "dates": ["2023-07-01", "2023-07-15"]},
    }  # fmt: skip
    config = parse_config(tree)
    assert parse_config(config.model_dump(mode="json")) == config
    assert config_hash(config) == config_hash(parse_config(config.model_dump(mode="json")))


def test_a_window_brings_little_more_than_its_blocks(stac: World, home: Path) -> None:
    noise = np.random.default_rng(3).integers(1, 60_000, (1024, 1024), dtype=np.uint16)
    big = {"driver": "COG", "compress": "DEFLATE", "blocksize": 256}
    write(stac.files.folder / "big.tif", noise, 10, 0, **big)
    path = home / "big.tif.remote"
    write_remote(path, RemoteRaster(f"{stac.files.address}/big.tif", "open", "big"), 1e9)
    stac.files.sent.clear()
    window = Window(300, 300, 400, 400)
    with open_raster(path) as dataset, damage_told(path, "a window"):
        assert np.array_equal(dataset.read(1, window=window), noise[300:700, 300:700])
        needed = sum(
            int(dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=1))
            for row in (1, 2)
            for column in (1, 2)
        )
    assert stac.files.sent_bytes < 1.3 * needed


def test_readers_that_begin_together_ask_for_each_header_once_and_side_by_side(
    stac: World, home: Path
) -> None:
    pixels = np.random.default_rng(4).integers(1, 4000, (512, 512), dtype=np.int16)
    paths = {}
    for band in BANDS:
        write(
            stac.files.folder / f"many/{band}.tif",
            pixels,
            10,
            -9999,
            driver="COG",
            compress="DEFLATE",
            blocksize=128,
        )
        paths[band] = home / f"{band}.tif.remote"
        write_remote(paths[band], RemoteRaster(f"{stac.files.address}/many/{band}.tif", "open", band), 1e9)
    grid = GeoBox((512, 512), Affine(10, 0, WEST_M, 0, -10, NORTH_M), "EPSG:32633")
    assets = {band: Asset(path, 1, "EPSG:32633", SENSORS["hls"]) for band, path in paths.items()}
    scene = Scene("many", "many", SENSORS["hls"], assets, None, grid, "surface", "", "")
    tiles = [Tile(f"{row}", grid[row : row + 128, :128]) for row in range(0, 512, 128)]
    stac.files.sent.clear()
    stac.files.latency_s = 0.05
    try:
        with ThreadPoolExecutor(4) as readers:
            began = time.perf_counter()
            chips = list(readers.map(lambda tile: read_chip([scene], tile, BANDS), tiles))
            took = time.perf_counter() - began
    finally:
        stac.files.latency_s = 0.0
    assert all(
        np.array_equal(chip.stored[0, 0], pixels[row : row + 128, :128])
        for chip, row in zip(chips, range(0, 512, 128), strict=True)
    )
    headers = [path for path, first, _ in stac.files.sent if first == 0]
    assert sorted(headers) == sorted(f"/many/{band}.tif" for band in BANDS)
    assert took < 0.05 * len(stac.files.sent)  # asked for one after another it would take longer
