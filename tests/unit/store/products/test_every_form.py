"""Everything that works on a store works on embeddings that others made, whichever form they came in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import Point

from engine.imagery.geobox import from_lonlat, to_lonlat
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import parse_config
from engine.labels.clicked.label_set import Label, LabelSet
from engine.learning.clicked.decoder_run import keep_decoder
from engine.learning.clicked.taught import teach
from engine.learning.evaluate import evaluate
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.predict import predict_tiles
from engine.learning.train import train
from engine.store.check import check_store
from engine.store.importing.forms import understand
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from engine.views.clusters import fit_clusters
from engine.views.comparing.change import change
from engine.views.comparing.comparison import compare
from engine.views.comparing.dated_view import DatedView, dated
from engine.views.layer_view import view_of
from engine.views.lens.reduction import reduction_of
from engine.views.lens.similar import patch_of, ranked, similarity
from tests.unit.store.products.every_form import CRS, FORMS, NORTH, SIDE, WEST, YEARS, burnt, vectors
from tests.unit.store.products.made import write_tiff

Stores = dict[str, dict[int, EmbeddingStore]]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a label raster and an extraction of the same ground."""
    room = tmp_path_factory.mktemp("forms")
    write_tiff(room / "labels.tif", burnt()[..., None])
    own = write_tiff(room / "own.tif", vectors(2023, 9, 4), transform=_coarse())
    import_embeddings(own, room / "own", model="own")
    return room


def _coarse() -> object:
    from affine import Affine

    return Affine(40, 0, WEST, 0, -40, NORTH)


@pytest.fixture(scope="module", params=FORMS)
def stores(request: pytest.FixtureRequest, room: Path) -> tuple[EmbeddingStore, EmbeddingStore]:
    """A form's stores of both years."""
    found = []
    for year in YEARS:
        path, said = FORMS[request.param](room / request.param / str(year), year)
        run = room / f"run-{request.param}-{year}"
        told, store = import_embeddings(path, run, **said)
        again = understand(path, None, said.get("model"), said.get("images"), said.get("year"))
        assert told.in_lines() == again.in_lines(), "what is told before is what is done"
        assert check_store(run) == []
        found.append(store)
    return found[0], found[1]


def _view(store: EmbeddingStore) -> DatedView:
    return dated(view_of(store, window=1))


def _middle(row: int, column: int) -> tuple[float, float]:
    """Longitude and latitude of a pixel's middle."""
    lon, lat = to_lonlat(CRS).transform(WEST + column * 10 + 5, NORTH - row * 10 - 5)
    return lon, lat


def _is_burnt(store: EmbeddingStore) -> np.ndarray:
    """(rows,) whether the middle of a row burned in the second year."""
    found = []
    for tile in store.tiles:
        row, column = np.divmod(np.arange(tile.rows), tile.w)
        lonlat = to_lonlat(tile.crs).transform(*(tile.patch_transform @ (column + 0.5, row + 0.5)))
        x, y = from_lonlat(CRS).transform(*lonlat)
        at = [np.clip(((end) / 10).astype(int), 0, SIDE - 1) for end in (NORTH - y, x - WEST)]
        found.append(burnt()[at[0], at[1]])
    return np.concatenate(found) > 0


def test_lenses_find_what_burned(stores: tuple[EmbeddingStore, EmbeddingStore]) -> None:
    store, truth = stores[1], _is_burnt(stores[1])
    view, (row, column) = _view(store), np.argwhere(burnt())[100]
    lon, lat = _middle(int(row) // 6 * 6 + 3, int(column) // 6 * 6 + 3)
    lens = similarity(view, [patch_of(view, f"{lon},{lat}")])
    names = {name: number for number, name in enumerate(_names(store))}
    matches = ranked(lens, [view], int(truth.sum()) // 2)
    assert np.mean([truth[names[match.patch.name]] for match in matches]) > 0.95
    classes = fit_clusters(view.view, 2).of(store.read())
    assert max(np.mean(classes == truth), np.mean(classes != truth)) > 0.95


def _names(store: EmbeddingStore) -> list[str]:
    return [
        f"{tile.id}/{row}/{column}"
        for tile in store.tiles
        for row in range(tile.h)
        for column in range(tile.w)
    ]


def test_what_changed_between_the_years_is_what_burned(stores: tuple[EmbeddingStore, EmbeddingStore]) -> None:
    found = change(*map(_view, stores))
    low, _, high = (found.percentiles["cosine"][one] for one in (0, 1, 2))
    assert high > low + 0.2


def test_it_is_like_an_own_extraction_of_the_same_ground(
    stores: tuple[EmbeddingStore, EmbeddingStore], room: Path
) -> None:
    found = compare([_view(EmbeddingStore.open(room / "own")), _view(stores[1])])
    assert found.pairs[0].cka > 0.6
    assert found.ground.count >= 36


def test_clicked_labels_become_a_decoder_that_maps_it(
    stores: tuple[EmbeddingStore, EmbeddingStore], tmp_path: Path
) -> None:
    store, truth = stores[1], _is_burnt(stores[1])
    labels = LabelSet()
    for row in range(3, SIDE, 12):
        for column in (3, 9, 27, 33):
            name = labels.classes[int(burnt()[row, column])].name
            labels = labels.with_label(Label(name, Point(_middle(row, column))))
    view = _view(store)
    run = keep_decoder(teach(view, labels, reduction_of(view.view).basis), folder=tmp_path / "kept")
    side = 1 if run.task.is_per_tile else store.meta.patch_px
    called = np.concatenate([pixels[::side, ::side].ravel() for _, pixels in predict_tiles(run, store)])
    assert np.mean(called == truth) > 0.95


# Chips and tiles each once; test_uses.py trains on pixels.
@pytest.mark.parametrize("stores", ["TerraTorch", "Major TOM"], indirect=True)
def test_a_decoder_learns_on_it_and_is_judged_again(
    stores: tuple[EmbeddingStore, EmbeddingStore], room: Path, tmp_path: Path
) -> None:
    store = stores[1]
    is_tile = store.meta.granularity == "tile"
    config = parse_config({
        "kind": "train", "store": str(store.folder), "task": {"name": "tile_classification", "classes": [{"value": 0, "name": "not burnt"}, {"value": 1, "name": "burnt"}], "least_share": 0.5} if is_tile else "burn_scars",
        "labels": {"source": "raster", "path": str(room / "labels.tif")}, "split": {"by": "block", "block_m": 120},
        "head": {"name": "knn"}, "baselines": [], "device": "cpu",
    })  # fmt: skip
    run_folder.create(tmp_path / "run", config)
    assert list(train(config, tmp_path / "run", room))
    run = TrainRun.open(tmp_path / "run")
    assert run.scores[run.task.watch] > 0.9
    assert evaluate(run.folder)[run.task.watch] == pytest.approx(run.scores[run.task.watch])
