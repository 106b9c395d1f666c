"""Maps of decoders that give numbers, or classes of tiles: applied, averaged, and written as files like any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from rasterio.windows import from_bounds

from engine.__main__ import main
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ApplyConfig
from engine.jobs.events import ApplyDone
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.apply import apply
from engine.learning.maps.facts import PROBABILITY, VALUES, MapFacts, read_map
from engine.learning.maps.predict import predict_tiles, tile_outputs
from engine.learning.report.map_page import write_map_report
from engine.learning.report.page import write_report
from engine.store.store import EmbeddingStore
from engine.views.maps.probability_map import NODATA, STEPS
from tests.unit.learning import chips
from tests.unit.learning.conftest import train_config_of
from tests.unit.learning.recorded_run import run
from tests.unit.learning.test_other_tasks import with_labels

CLASSES = [{"value": 1, "name": "Charred"}, {"value": 0, "name": "Meadow & water"}]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other-tasks")
    (folder / "home").mkdir()
    with_labels(chips.write_chips(folder / "chips"), "height", lambda image: 40 * image[3], dtype="float32")
    with_labels(folder / "chips", "kinds", mostly_of_one_kind, dtype="int16")
    return folder


def mostly_of_one_kind(image: np.ndarray) -> np.ndarray:
    """Nine tenths of a chip are of the one or of the other class, by chance."""
    rows = np.arange(image[0].size).reshape(image[0].shape) % 10
    return (rows > 0 if image[0, 0, 0] > 0.058 else rows == 0).astype(np.int16)


def trained(room: Path, name: str, **changes: Any) -> TrainRun:
    """A training of the room, made once."""
    if not (room / "home" / name).is_dir():
        config = train_config_of(room / "chips", **{"epochs": 4, "head": {"name": "linear"}, **changes})
        run(config, room / "home", name)
    return TrainRun.open(room / "home" / name)


def of_heights(room: Path, seed: int = 0) -> TrainRun:
    task = {"name": "regression", "quantity": "height", "unit": "m"}
    return trained(room, f"heights-{seed}", task=task, labels={"name": "height"}, seed=seed)


def of_tiles(room: Path, several: bool) -> TrainRun:
    task = {"name": "tile_classification", "classes": CLASSES, "several": several, "least_share": 0.2}
    store = train_config_of(room / "chips").model_dump()["store"] | {"granularity": "tile", "pooling": "mean"}
    return trained(room, f"tiles-{several}", task=task, store=store, labels={"name": "kinds"}, epochs=2)


def applied(room: Path, first: TrainRun, *others: TrainRun) -> tuple[Path, ApplyDone, list[MapFacts]]:
    """The run folder of a map of the ground that a decoder learned from, what it said in the end, and its maps."""
    config = ApplyConfig(
        decoder=str(first.folder), ensemble=tuple(str(one.folder) for one in others),
        ground=(str(first.store_folder),), titles=("The chips",),
    )  # fmt: skip
    folder = room / "home" / f"applied-{first.folder.name}-{len(others)}"
    run_folder.create(folder, config)
    done = next(event for event in apply(config, folder, room / "home") if isinstance(event, ApplyDone))
    return folder, done, [read_map(folder / name) for name in done.maps]


def on_tile(path: Path, tile: Any, band: int = 1) -> np.ndarray:
    """The pixels of a map that lie where a tile does."""
    west, north = tile.pixel_transform @ (0, 0)
    east, south = tile.pixel_transform @ (tile.width_px, tile.height_px)
    with rasterio.open(path) as dataset:
        return dataset.read(band, window=from_bounds(west, south, east, north, dataset.transform).round())


def test_numbers_are_mapped_with_their_unit_their_mean_and_a_picture_but_no_threshold(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decoder = of_heights(room)
    folder, done, (facts,) = applied(room, decoder)
    assert (done.hectares, facts.quantity, facts.title) == ({}, "height (m)", "The chips")
    store = EmbeddingStore.open(decoder.store_folder)
    pieces = {tile.id: values for tile, values in predict_tiles(decoder, store)}
    for tile in store.tiles:
        np.testing.assert_array_equal(on_tile(folder / "maps/0" / VALUES, tile), pieces[tile.id])
    every = np.stack(list(pieces.values())).astype(np.float64)
    assert facts.numbers["mean"] == pytest.approx(every.mean())
    assert facts.numbers["std"] == pytest.approx(every.std())
    assert (facts.numbers["least"], facts.numbers["greatest"]) == (every.min(), every.max())
    assert facts.numbers["hectares"] == pytest.approx(9 * 92.16, rel=2e-3)
    out, picture = room / "numbers.tif", room / "numbers.png"
    assert (
        main(["map-files", str(folder / "maps/0"), "--classes", str(out), "--png", str(picture), "--json"])
        == 0
    )
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["numbers"]["mean"] == facts.numbers["mean"]
    assert picture.read_bytes()[:4] == b"\x89PNG"
    with rasterio.open(out) as dataset:
        assert dataset.tags()["EMBERSCOPE_QUANTITY"] == "height (m)"
    for asked in (
        ["--polygons", str(room / "no.gpkg")],
        ["--threshold", "0.4"],
        ["--probability", str(room / "no.tif")],
    ):
        assert (
            main(["predict", str(decoder.folder), str(store.folder), "--out", str(room / "no.tif"), *asked])
            == 2
        )
        assert "no classes and no probability" in capsys.readouterr().err
    assert not (room / "no.tif").exists()
    told = write_report(decoder.folder, room / "training.html").read_text(encoding="utf-8")
    assert "RMSE (m)" in told
    assert told.count("data:image/png;base64,") == 3
    assert "Where and how it fails" not in told  # there are no probabilities, and so no plots
    assert "height (m)" in write_map_report(folder, room / "report.html").read_text(encoding="utf-8")


def test_several_decoders_of_numbers_are_their_mean_and_their_spread_is_in_the_unit(room: Path) -> None:
    runs = of_heights(room), of_heights(room, seed=1)
    folder, _, (facts,) = applied(room, *runs)
    store = EmbeddingStore.open(runs[0].store_folder)
    each = [{tile.id: own for tile, own in predict_tiles(one, store)} for one in runs]
    assert facts.members == 2
    for tile in store.tiles:
        both = np.stack([own[tile.id] for own in each])
        np.testing.assert_allclose(on_tile(folder / "maps/0" / VALUES, tile), both.mean(axis=0), rtol=1e-5)
        spread = on_tile(folder / "maps/0" / "disagreement.tif", tile)
        np.testing.assert_allclose(spread, both.std(axis=0), atol=1e-4)
    with rasterio.open(folder / "maps/0" / "disagreement.tif") as dataset:
        assert "height (m)" in dataset.tags()["EMBERSCOPE_QUANTITY"]


def test_each_of_several_classes_of_a_tile_is_a_map_with_its_own_threshold(room: Path) -> None:
    decoder = of_tiles(room, several=True)
    folder, done, found = applied(room, decoder)
    assert [facts.title for facts in found] == ["The chips: Charred", "The chips: Meadow & water"]
    assert [facts.quantity for facts in found] == ["Charred", "Meadow & water"]
    store = EmbeddingStore.open(decoder.store_folder)
    outputs = {
        one.span.tile.id: torch.sigmoid(one.outputs)[0].numpy() for one in tile_outputs(decoder, store)
    }
    for column, facts in enumerate(found):
        path = folder / f"maps/{column}" / PROBABILITY
        for tile in store.tiles:  # the whole tile has it, where the tile lies
            steps = on_tile(path, tile, 2)
            assert steps.shape == (tile.height_px, tile.width_px)
            assert set(np.unique(steps)) == {int(np.ceil(outputs[tile.id][column] * STEPS)) - 1}
        with rasterio.open(path) as dataset:
            assert (dataset.read(2) != NODATA).sum() == 9 * 32 * 32
        above = sum(own[column] > 0.5 for own in outputs.values())
        assert facts.usual_hectares == {facts.quantity: pytest.approx(above * 92.16, rel=2e-3)}
        assert done.hectares[facts.quantity] == pytest.approx(facts.usual_hectares[facts.quantity])
    assert main(["map-files", str(folder / "maps/1"), "--classes", str(room / "meadow.tif")]) == 0
    with rasterio.open(room / "meadow.tif") as dataset:
        assert dataset.tags()["EMBERSCOPE_CLASS_0"] == "Meadow & water"
        assert dataset.tags()["EMBERSCOPE_CLASS_1"] == "no Meadow & water"


def test_the_class_of_each_tile_is_written_as_classes_polygons_and_a_picture(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decoder = of_tiles(room, several=False)
    store = EmbeddingStore.open(decoder.store_folder)
    files = {name: room / f"tiles.{name}" for name in ("tif", "geojson", "png")}
    asked = ["--polygons", str(files["geojson"]), "--png", str(files["png"]), "--threshold", "0.5", "--json"]
    assert main(["predict", str(decoder.folder), str(store.folder), "--out", str(files["tif"]), *asked]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    classes = {tile.id: int(found[0, 0]) for tile, found in predict_tiles(decoder, store)}
    for tile in store.tiles:
        assert set(np.unique(on_tile(files["tif"], tile))) == {CLASSES[classes[tile.id]]["value"]}
    sought = sum(classes.values())
    assert told["count"] == sought
    assert told["hectares"]["Meadow & water"] == pytest.approx(sought * 92.16, rel=2e-3)
    several = of_tiles(room, several=True)
    report = write_report(several.folder, room / "tiles.html").read_text(encoding="utf-8")
    assert f"{several.scores['labelled_tiles']} labelled tiles of" in report
    assert "accuracy" not in report
    out = room / "several.tif"
    command = ["predict", str(several.folder), str(store.folder), "--out", str(out)]
    assert main([*command, "--png", str(files["png"])]) == 2
    assert "makes a map of each class" in capsys.readouterr().err
    assert main(command) == 0
    assert "shows the last one" in capsys.readouterr().err
