"""A decoder over ground: probabilities that say what it says, the same figures whoever writes them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from engine.__main__ import main
from engine.errors import StoreError
from engine.extraction.extract import extract
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import (
    ApplyConfig,
    BackboneConfig,
    ExtractConfig,
    TrainConfig,
    config_hash,
    load_config,
    to_yaml,
)
from engine.jobs.events import ApplyDone, MapTileDone
from engine.learning.maps.apply import apply
from engine.learning.maps.facts import PROBABILITY, read_map
from engine.learning.maps.ground import extraction_for
from engine.learning.predict import predict_tiles
from engine.learning.result import TrainRun
from engine.learning.train import train
from engine.store.store import ENCODER, EmbeddingStore


@pytest.fixture
def trained(train_config: TrainConfig, home: Path) -> TrainRun:
    run_folder.create(home / "trained", train_config)
    for _ in train(train_config, home / "trained", home):
        pass
    return TrainRun.open(home / "trained")


def test_the_map_at_one_half_is_what_the_decoder_predicts_and_all_writers_say_the_same_hectares(
    trained: TrainRun, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ApplyConfig(decoder=str(trained.folder), ground=(str(trained.store_folder),))
    run_folder.create(home / "applied", config)
    events = list(apply(config, home / "applied", home))
    (done,) = [event for event in events if isinstance(event, ApplyDone)]
    assert [event.done for event in events if isinstance(event, MapTileDone)] == list(range(1, 10))
    folder = home / "applied" / done.maps[0]
    predicted = sum(
        int((found == 1).sum())
        for _, found in predict_tiles(trained, EmbeddingStore.open(trained.store_folder))
    )
    with rasterio.open(folder / PROBABILITY) as dataset:
        steps = dataset.read(2)
        assert int(((steps >= 100) & (steps != 255)).sum()) == predicted > 0
    files = [str(tmp_path / name) for name in ("burnt.gpkg", "burnt.parquet", "burnt.geojson")]
    more = ["--threshold", "0.7", "--smallest-ha", "0.2", "--probability", str(tmp_path / "p.tif"), "--png", str(tmp_path / "m.png"),
            "--polygons", *files, "--json"]  # fmt: skip
    asked = {
        "map-files": [str(folder), "--classes", str(tmp_path / "one.tif")],
        "predict": [str(trained.folder), str(trained.store_folder), "--out", str(tmp_path / "two.tif")],
    }
    told = []
    for command, arguments in asked.items():
        assert main([command, *arguments, *more]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0]["hectares"] == told[1]["hectares"] == read_map(folder).hectares_above(0.7)
    assert told[0]["count"] == told[1]["count"] > 0
    with rasterio.open(tmp_path / "one.tif") as one, rasterio.open(tmp_path / "two.tif") as two:
        assert (one.read(1) == two.read(1)).all()
        assert (one.crs, one.nodata, one.colormap(1)) == (two.crs, two.nodata, two.colormap(1))
    for file in files:
        table = gpd.read_parquet(file) if file.endswith("parquet") else gpd.read_file(file)
        assert table["hectares"].sum() == pytest.approx(told[0]["hectares_of_polygons"], abs=0.01)
        assert table["hectares"].min() >= 0.2
        assert (table["probability"] > 0.7).all()


def test_ground_without_embeddings_gets_them_first_and_several_are_several_maps(
    trained: TrainRun, home: Path
) -> None:
    store = trained.config.store
    other = store.model_copy(update={"tiles": store.tiles.model_copy(update={"size_px": 16})})
    config = ApplyConfig(decoder=str(trained.folder), ground=(other, str(trained.store_folder)))
    again = load_config(_written(home / "apply.yaml", to_yaml(config)))
    assert config_hash(again) == config_hash(config)
    done = list(apply(config, home / "applied", home))[-1]
    assert isinstance(done, ApplyDone)
    areas = [read_map(home / "applied" / name).hectares_above(0.5)["burnt"] for name in done.maps]
    assert len(areas) == 2
    assert done.hectares["burnt"] == pytest.approx(sum(areas), abs=0.02)
    assert np.isclose(*areas, rtol=1e-2)


def test_ground_that_does_not_fit_is_refused_before_anything_is_made(
    trained: TrainRun, home: Path, write_chips: Callable[..., Path], config_of: Callable[..., TrainConfig]
) -> None:
    finer = config_of(write_chips("finer"), patch_px=2)
    run_folder.create(home / "finer", finer)
    for _ in train(finer, home / "finer", home):
        pass
    config = ApplyConfig(
        decoder=str(trained.folder), ground=(str(trained.store_folder), str(TrainRun.open(home / "finer").store_folder))
    )  # fmt: skip
    with pytest.raises(StoreError, match="patch"):
        list(apply(config, home / "applied", home))
    assert not (home / "applied").exists()


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_decoder_of_drawn_features_maps_other_ground_also_when_its_store_has_gone(
    write_chips: Callable[..., Path], config_of: Callable[..., TrainConfig], home: Path
) -> None:
    chips = write_chips()
    plain = config_of(chips, epochs=2)
    assert isinstance(plain.store, ExtractConfig)
    drawn = plain.store.model_copy(
        update={"backbone": BackboneConfig(name="rcf", settings={"features": "64"})}
    )
    folder = home / "run"
    config = plain.model_copy(update={"store": drawn})
    run_folder.create(folder, config)
    list(train(config, folder, home))
    run = TrainRun.open(folder)
    weights = run.decoder.weights_sha256
    with_store = extraction_for(run, drawn.scene)
    shutil.rmtree(run.store_folder)
    without = extraction_for(run, drawn.scene)
    assert Path(without.backbone.weights) == folder / ENCODER
    assert with_store.backbone.weights != without.backbone.weights
    made = home / "made"
    list(extract(without, made, home))
    store = EmbeddingStore.open(made / "store")
    assert store.meta.weights_sha256 == weights
    run.decoder.require_fit(store)
