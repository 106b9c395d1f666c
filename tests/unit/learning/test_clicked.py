"""Taught by a few labels: right on separable classes, honest about its accuracy, and a decoder like any other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from shapely.geometry import Point

from engine.__main__ import main
from engine.errors import JobError, StoreError
from engine.extraction.encode import fold
from engine.labels.clicked.geojson import write_labels
from engine.labels.clicked.label_set import Label, LabelSet
from engine.labels.clicked.on_store import middle_of
from engine.learning.clicked.accuracy import left_out
from engine.learning.clicked.classifier import METHODS, Method, fit, weights_of
from engine.learning.clicked.decoder_run import keep_decoder
from engine.learning.clicked.neighbour_map import (
    identity_of,
    neighbour_file,
    neighbour_lens,
    uncertainty,
)
from engine.learning.clicked.next_patch import next_patch
from engine.learning.clicked.taught import Taught, teach
from engine.learning.evaluate import evaluate
from engine.learning.keeping.decoder_file import read_card
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.predict import predict_tiles
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import dated
from engine.views.layer_view import view_of
from engine.views.lens.reduction import Reduction, reduction_of
from engine.views.position import Position
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

DIM, SIDE, TILES = 12, 12, 4
CLASSES = LabelSet().with_class("water")


def kind_of(row: int) -> int:
    """Stripes of four columns: three classes side by side in each tile."""
    return row % SIDE // 4


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingStore:
    """Four tiles far from one another, whose embeddings are three clouds far from one another; the first patch has no data."""
    centres = np.random.default_rng(1).standard_normal((3, DIM)) * 4
    tiles = []
    for column in range(TILES):
        rows = rows_at(tile_at(3 * column, side=SIDE), dims=(DIM,), gaps=1)
        noise = np.random.default_rng(column).standard_normal((SIDE**2, DIM))
        kinds = [kind_of(row) for row in range(SIDE**2)]
        rows.embeddings[0][1:] = (centres[kinds] + noise)[1:]
        tiles.append(rows)
    return make_store(tmp_path_factory.mktemp("home") / "run", tiles, meta_of(dims=(DIM,), dtype="float32"))


def labels_on(store: EmbeddingStore, rows: list[int], classes: int = 3) -> LabelSet:
    """One click a row, of its true class."""
    made = CLASSES if classes == 3 else LabelSet()
    for row in rows:
        made = made.with_label(Label(made.classes[kind_of(row)].name, Point(middle_of(store.tiles, row))))
    return made


def taught_on(store: EmbeddingStore, classes: int = 3, method: Method = "logistic") -> Taught:
    view = dated(view_of(store, window=1))
    rows = [tile * SIDE**2 + SIDE * 6 + column for tile in range(TILES) for column in (1, 5, 10)[:classes]]
    return teach(view, labels_on(store, rows, classes), reduction_of(view.view).basis, method)


@pytest.mark.parametrize("method", METHODS)
def test_twelve_labels_of_separable_classes_give_the_right_map(store: EmbeddingStore, method: Method) -> None:
    taught = taught_on(store, method=method)
    truth = np.array([kind_of(row) for row in range(SIDE**2 * TILES)])
    is_right = taught.classifier.predict(store.read()) == truth
    assert is_right[store.read_valid_fraction() > 0].mean() > 0.99
    assert taught.accuracy.share == 1.0
    assert (taught.accuracy.labels, taught.accuracy.places) == (12, 4)
    assert taught.classifier.probabilities(store.read()).sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_decoder_that_is_kept_gives_the_classes_of_the_lens(
    store: EmbeddingStore, tmp_path: Path, method: Method, classes: int
) -> None:
    taught = taught_on(store, classes, method)
    run = keep_decoder(taught, folder=tmp_path / "kept")
    assert run.is_finished
    assert [one.title for one in run.task.classes] == [one.name for one in taught.classifier.classes]
    for tile, pixels in predict_tiles(TrainRun.open(run.folder), store):
        values, valid = taught.view.view.read_tile(tile)
        wanted = taught.classifier.predict(values.reshape(-1, DIM)).reshape(tile.h, tile.w)
        step = tile.height_px // tile.h
        assert (pixels[::step, ::step] == np.where(valid > 0, wanted, -1)).all()
    card, scores = read_card(run.weights)
    assert (card.backbone, card.head, scores) == (store.meta.backbone, run.decoder.head, run.scores)
    with pytest.raises(JobError, match="no test split"):
        evaluate(run.folder)


def test_labels_drawn_by_lot_are_not_said_to_be_right() -> None:
    rng = np.random.default_rng(0)
    values, truth, numbers = rng.standard_normal((90, DIM)), rng.integers(0, 2, 90), np.arange(90)
    found = left_out(values, truth, numbers, numbers % 30, CLASSES.classes, _plain_basis())
    assert found.share is not None
    assert 0.3 < found.share < 0.7
    assert found.low is not None


def test_a_place_tells_nothing_of_itself() -> None:
    """Within each place the classes are clear, and each place has them the other way round."""
    truth, places = np.array([0, 1] * 2), np.array([0, 0, 1, 1])
    values = np.outer(np.where(places == 0, 1, -1) * np.where(truth == 0, 1, -1), np.ones(DIM)).astype(float)
    found = left_out(values, truth, np.arange(4), places, CLASSES.classes, _plain_basis())
    assert found.right == 0
    assert "4 labels in 2 places can be judged, too few" in found.notes[-1]
    assert "at least 10 labels in 3 places" in found.notes[-1]
    alone = left_out(values, np.array([0, 1, 0, 2]), np.arange(4), places, CLASSES.classes, _plain_basis())
    assert "nothing can be said of it: burnt, water" in alone.notes[0]


def test_a_large_polygon_weighs_as_much_as_a_click() -> None:
    weights = weights_of(np.array([0] * 10 + [0, 1]), np.array([0] * 10 + [1, 2]))
    assert weights[:10].sum() == pytest.approx(weights[10])
    assert weights[:11].sum() == pytest.approx(weights[11])
    assert weights.sum() == pytest.approx(3)


def test_the_next_patch_is_the_least_sure_the_most_unlike_or_of_an_empty_part(store: EmbeddingStore) -> None:
    taught = taught_on(store)
    reduction = reduction_of(taught.view.view)
    numbers, places = (
        reduction.numbers(),
        np.array([middle_of(store.tiles, row) for row in range(store.rows)]),
    )
    lens = taught.classifier.lens("uncertainty").reduced(reduction.basis)
    asked = {
        ask: next_patch(numbers, places, taught.labelled.rows, lens, ask)
        for ask in ("unsure", "unlike", "region")
    }
    values = lens.values(numbers)[:, 0]
    assert values[asked["unsure"]] == np.nanmax(np.delete(values, taught.labelled.rows))
    assert not set(asked.values()) & set(taught.labelled.rows.tolist())
    assert all(np.isfinite(numbers[one, 0]) for one in asked.values())
    assert next_patch(numbers, places, np.array([], int), None, "unsure") >= 0


def test_the_command_writes_map_raster_and_decoder(
    store: EmbeddingStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [SIDE * 6 + 1, SIDE * 6 + 5, 2 * SIDE**2 + 10]
    write_labels(tmp_path / "mine.geojson", labels_on(store, rows))
    arguments = [
        "label",
        str(store.folder),
        str(tmp_path / "mine.geojson"),
        "--out",
        str(tmp_path / "map.tif"),
        "--json",
    ]
    assert (
        main([*arguments, "--raster", str(tmp_path / "raster.tif"), "--decoder", str(tmp_path / "kept")]) == 0
    )
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["classes"] == {"not burnt": 1, "burnt": 1, "water": 1}
    assert told["accuracy"]["share"] is None
    with rasterio.open(tmp_path / "raster.tif") as raster:
        values = raster.read(1)
        assert raster.nodata == -1
        assert {int(one): int(count) for one, count in zip(*np.unique(values, return_counts=True), strict=True)} == {
            -1: values.size - 3 * 256, 0: 256, 1: 256, 2: 256,
        }  # fmt: skip
        lon, lat = middle_of(store.tiles, rows[2])
        x, y = rasterio.warp.transform("EPSG:4326", raster.crs, [lon], [lat])
        assert next(raster.sample([(x[0], y[0])]))[0] == 2
    with rasterio.open(tmp_path / "map.tif") as made:
        assert made.tags()["EMBERSCOPE_CLASS_2"] == "water"
    assert TrainRun.open(tmp_path / "kept").is_finished


def _plain_basis():  # type: ignore[no-untyped-def]
    from engine.views.pca import Pca

    return Pca(0, 1, np.zeros(DIM), np.eye(DIM), np.full(DIM, 1 / DIM), -np.ones(DIM), np.ones(DIM))


def test_one_class_is_refused() -> None:
    from engine.errors import LabelError

    with pytest.raises(LabelError, match="one class"):
        fit(np.ones((2, DIM)), np.zeros(2, int), np.arange(2), CLASSES.classes, _plain_basis())


def test_the_map_by_nearest_neighbours_is_drawn_from_numbers_that_say_what_the_classifier_says(
    store: EmbeddingStore, tmp_path: Path
) -> None:
    taught = taught_on(store, method="knn")
    has_data = store.read_valid_fraction() > 0
    shares = taught.classifier.probabilities(store.read())
    for kind, shown in (("classes", 0), ("probability", 1), ("uncertainty", 0)):
        path = tmp_path / f"{kind}.bin"
        header = neighbour_file(path, taught, kind, shown)
        numbers = Reduction(path, taught.basis, np.ones(2), header).numbers()
        lens = neighbour_lens(taught, kind, shown)
        assert np.isnan(numbers[~has_data]).all()
        if kind == "classes":
            np.testing.assert_array_equal(lens.classes(numbers[has_data]), shares.argmax(axis=1)[has_data])
            continue
        expected = shares[:, shown] if kind == "probability" else uncertainty(shares)
        np.testing.assert_allclose(lens.values(numbers[has_data])[:, 0], expected[has_data], atol=1e-4)
    assert identity_of(taught, "classes", 0) == identity_of(taught_on(store, method="knn"), "classes", 0)
    assert identity_of(taught, "classes", 0) != identity_of(taught_on(store, 2, "knn"), "classes", 0)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("position", ["keep", "remove"])
def test_a_decoder_of_a_layer_finer_than_the_rows_gives_the_classes_of_its_own_patches(
    tmp_path: Path, classes: int, position: Position
) -> None:
    cells, tiles = 3, []
    centres = np.random.default_rng(1).standard_normal((3, DIM)) * 4
    for column in range(TILES):
        rows = rows_at(tile_at(3 * column, side=SIDE), dims=(cells**2 * DIM, 2))
        side = SIDE * cells
        kinds = np.add.outer(np.arange(side) // 6, np.arange(side) // 4) % 3
        dense = centres[kinds] + np.random.default_rng(column).standard_normal((side, side, DIM))
        rows.embeddings[0][:] = fold(dense, (SIDE, SIDE)).reshape(SIDE**2, -1)
        tiles.append(rows)
    meta = meta_of((cells**2 * DIM, 2), "float32", cells=(cells, 1), patch_px=18)
    tiles = [replace(one, tile=replace(one.tile, height_px=18 * SIDE, width_px=18 * SIDE)) for one in tiles]
    store = make_store(tmp_path / "run", tiles, meta)
    view = dated(view_of(store, 0, 1, position))
    made, across = CLASSES if classes == 3 else LabelSet(), SIDE * cells
    for tile in range(TILES):
        for kind in range(classes):
            row = tile * across**2 + 4 * kind
            made = made.with_label(Label(made.classes[kind].name, Point(middle_of(view.store.tiles, row))))
    taught = teach(view, made, reduction_of(view.view).basis)
    run = keep_decoder(taught, folder=tmp_path / "kept")
    for tile, pixels in predict_tiles(TrainRun.open(run.folder), store):
        own = next(one for one in view.store.tiles if one.id == tile.id)
        wanted = taught.classifier.predict(view.view.read_tile(own)[0].reshape(-1, DIM)).reshape(
            across, across
        )
        assert (pixels == wanted.repeat(6, 0).repeat(6, 1)).mean() > 0.999
    with pytest.raises(StoreError, match="compares whole rows"):
        keep_decoder(teach(view, made, taught.basis, "knn"), folder=tmp_path / "neighbours")
