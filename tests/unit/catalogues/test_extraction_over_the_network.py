"""An extraction from a catalogue gives the embeddings of the same pixels in files, and brings little more than its blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

from engine.extraction.extract import extract
from engine.imagery.cut import cut_of, write_cut
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.remote.fetching import RemoteRaster
from engine.imagery.remote.remote_file import write_remote
from engine.imagery.sources import FileScene, SceneConfig, StacScene
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    TilesConfig,
    config_hash,
    parse_config,
)
from engine.store.store import EmbeddingStore
from tests.stac.items import write
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
