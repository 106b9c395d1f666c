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
import torch

from engine.__main__ import main
from engine.errors import StoreError
from engine.extraction.extract import extract
from engine.imagery.sources import FileScene
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import (
    ApplyConfig,
    BackboneConfig,
    ExtractConfig,
    HeadConfig,
    TrainConfig,
    config_hash,
    load_config,
    to_yaml,
)
from engine.jobs.events import ApplyDone, MapTileDone
from engine.learning.dataset import Span
from engine.learning.keeping.card import DecoderCard, encoder_facts
from engine.learning.keeping.model_card import write_decoder
from engine.learning.keeping.result import WEIGHTS, TrainRun, write_card
from engine.learning.maps.apply import apply
from engine.learning.maps.ensemble import agreed
from engine.learning.maps.facts import PROBABILITY, read_map
from engine.learning.maps.ground import extraction_for
from engine.learning.maps.predict import TileOutputs, predict_tiles
from engine.learning.tasks.table import task_of
from engine.learning.train import train
from engine.store.schema import StoredTile, StoreMeta, TileRows
from engine.store.store import ENCODER, EmbeddingStore
from engine.store.writer import StoreWriter


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
    named = config.model_copy(update={"titles": ("Süd (Kopie)",)})
    again = load_config(_written(home / "apply.yaml", to_yaml(config)))
    assert config_hash(again) == config_hash(config) == config_hash(named)
    done = list(apply(named, home / "applied", home))[-1]
    assert isinstance(done, ApplyDone)
    titles = [read_map(home / "applied" / name).title for name in done.maps]
    assert titles[0] == "Süd (Kopie)" != titles[1]
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


def test_a_decoder_of_drawn_features_maps_other_pixels_also_when_its_store_has_gone(
    write_chips: Callable[..., Path], config_of: Callable[..., TrainConfig], home: Path, scene_file: Path
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
    finer = FileScene(source="file", path=str(scene_file))  # of 20 m, the chips have 30 m
    assert run.decoder.gsd_m == 30 and extraction_for(run, finer, gsd_m=30.2).tiles.gsd_m is None
    with_store = extraction_for(run, finer, gsd_m=20)
    shutil.rmtree(run.store_folder)
    without = extraction_for(run, finer, gsd_m=20)
    assert Path(without.backbone.weights) == folder / ENCODER
    assert with_store.backbone.weights != without.backbone.weights
    made = home / "made"
    list(extract(without, made, home))
    store = EmbeddingStore.open(made / "store")
    assert store.meta.weights_sha256 == weights
    run.decoder.require_fit(store)


def test_an_ensemble_of_seeds_is_their_mean_and_says_where_they_disagree(
    trained: TrainRun,
    train_config: TrainConfig,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = home / "other-seed"
    config = train_config.model_copy(
        update={"seed": 5, "epochs": 3, "split": train_config.split.model_copy(update={"seed": 0})}
    )
    run_folder.create(other, config)
    list(train(config, other, home))
    store = trained.store_folder
    together = ApplyConfig(decoder=str(trained.folder), ensemble=(str(other),), ground=(str(store),))
    (done,) = [one for one in apply(together, home / "applied", home) if isinstance(one, ApplyDone)]
    folder = home / "applied" / done.maps[0]
    each = []
    for run in (trained, TrainRun.open(other)):
        alone = ApplyConfig(decoder=str(run.folder), ground=(str(store),))
        list(apply(alone, home / f"alone-{run.folder.name}", home))
        with rasterio.open(home / f"alone-{run.folder.name}" / "maps/0" / PROBABILITY) as dataset:
            each.append(dataset.read(2).astype(float))
    with rasterio.open(folder / PROBABILITY) as dataset, rasterio.open(folder / "disagreement.tif") as std:
        mean, spread, known = dataset.read(2), std.read(1), each[0] != 255
    np.testing.assert_allclose(mean[known], (each[0] + each[1])[known] / 2, atol=1.01)
    np.testing.assert_allclose(spread[known], np.abs(each[0] - each[1])[known] / 2 / 200, atol=0.0051)
    assert np.isnan(spread[~known]).all()
    assert spread[known].max() > 0.05
    assert read_map(folder).members == 2
    arguments = [str(trained.folder), str(store), "--out", str(tmp_path / "m.tif"), "--ensemble", str(other)]
    assert main(["predict", *arguments, "--disagreement", str(tmp_path / "d.tif"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hectares"] == read_map(folder).hectares_above(0.5)
    assert main(["predict", *arguments[:4], "--ensemble", str(trained.folder)]) == 2
    assert "named twice" in capsys.readouterr().err
    assert config_hash(ApplyConfig(decoder="a", ground=("b",))) == config_hash(
        ApplyConfig(decoder="a", ensemble=(), ground=("b",))
    )


def test_the_mean_of_several_classes_is_that_of_their_probabilities() -> None:
    task = task_of("burn_severity")
    chance = torch.Generator().manual_seed(0)
    span = Span(StoredTile("t", "EPSG:32610", (30, 0, 0, 0, -30, 0), 1, 1, 2, 2, (None,), ("s",), None), 0)
    members = [
        TileOutputs(span, 3 * torch.randn(1, 4 * 4, generator=chance), np.ones(1, bool)) for _ in range(3)
    ]
    shares = torch.stack([one.outputs.unflatten(-1, (4, 4)).softmax(-1) for one in members]).mean(0)
    found = agreed(members, task)
    said = found.found.outputs.unflatten(-1, (4, 4)).softmax(-1)
    np.testing.assert_allclose(said, shares, atol=1e-6)
    assert found.disagreement.shape == (1, 4)
    assert agreed([members[0]] * 3, task).disagreement.max() == pytest.approx(0, abs=1e-6)


def test_each_date_of_a_series_is_a_map_of_its_own(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meta = META_OF_DATES
    writer = StoreWriter(home / "series", meta)
    for number, day in enumerate(("2021-03-01", "2021-04-01", "2021-05-01")):
        tile = StoredTile(
            f"t-{day}",
            "EPSG:32610",
            (30, 0, 5e5, 0, -30, 4.5e6),
            2,
            2,
            4,
            4,
            (f"{day}T10:00:00+00:00",),
            ("s",),
            None,
        )
        writer.append(TileRows(tile, (np.full((4, 2), number, np.float32),), np.ones(4, np.float32)))
    store = EmbeddingStore.open(writer.finish())
    run = decoder_that_burns_from(1.5, store, home / "trained")
    config = ApplyConfig(decoder=str(run.folder), ground=(str(store.folder),))
    (done,) = [one for one in apply(config, home / "applied", home) if isinstance(one, ApplyDone)]
    found = [read_map(home / "applied" / place) for place in done.maps]
    assert [one.dates for one in found] == [("2021-03-01",), ("2021-04-01",), ("2021-05-01",)]
    assert [one.hectares_above(0.5)["burnt"] > 0 for one in found] == [False, False, True]
    assert found[0].title.endswith("2021-03-01")
    for date, burnt in (("first", False), ("last", True), ("2021-04", False)):
        out = tmp_path / f"{date}.tif"
        assert (
            main(["predict", str(run.folder), str(store.folder), "--out", str(out), "--date", date, "--json"])
            == 0
        )
        assert (json.loads(capsys.readouterr().out)["hectares"]["burnt"] > 0) == burnt
    assert (
        main(
            [
                "predict",
                str(run.folder),
                str(store.folder),
                "--out",
                str(tmp_path / "x.tif"),
                "--date",
                "1999",
            ]
        )
        == 2
    )
    assert "2021-03-01, 2021-04-01, 2021-05-01" in capsys.readouterr().err


META_OF_DATES = StoreMeta(
    schema_version=1, backbone="raw", weights_sha256="none", layers=(0,), dims=(2,), columns=("embedding",),
    granularity="patch", pooling=None, patch_px=2, gsd_m=30.0, dtype="float32", bands=("red",), is_simulated=False, source="",
    config_hash="x", config={"backbone": {"name": "raw", "temporal": "keep"}},
)  # fmt: skip


def decoder_that_burns_from(edge: float, store: EmbeddingStore, folder: Path) -> TrainRun:
    """A linear decoder whose patches burn where their first number is above an edge."""
    config = TrainConfig(store=str(store.folder), head=HeadConfig(name="linear", hidden=()))
    run_folder.create(folder, config)
    card = DecoderCard(
        schema_version=1, head=config.head.model_dump(mode="json"), epoch=1, seed=0, split={}, store="", labels="", layers=(0,),
        dims=(2,), **encoder_facts(store.meta),
    )  # fmt: skip
    weight = torch.zeros(4, 2)
    weight[:, 0] = 10
    state = {
        "mean": torch.zeros(2), "std": torch.ones(2), "head.layers.0.weight": weight, "head.layers.0.bias": torch.full((4,), -10 * edge),
    }  # fmt: skip
    write_decoder(folder / WEIGHTS, state, card, {})
    write_card(folder, card)
    return TrainRun.open(folder)
