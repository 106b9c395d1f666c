"""Every setting with every other: each pair ends well, with the reference's values, or is refused in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio

from engine.backbones import cloud_mask
from engine.errors import BadInput
from engine.extraction import extract as job
from engine.extraction.pixels import clouds
from engine.extraction.plan import make_plan
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import parse_config
from engine.jobs.record import recorded
from engine.learning.train import train
from engine.store import writer
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from engine.views.export.forms import export
from engine.views.layer_view import view_of
from engine.views.maps.overlay import pca_overlay
from tests.predicted_map import predict_map
from tests.unit.pairs.covering import Pair, Row, all_pairs, covering_rows, possible_pairs
from tests.unit.pairs.inputs import FACTORS, config_of, train_config, write_scenes
from tests.unit.pairs.reference import reference_rows
from tests.unit.store.stores import interrupted

# Share of the largest value: encoders compute in bfloat16 where the CPU does, and add up in another order in a batch.
TOLERANCE = {"raw": 0.002, "transformer": 0.04, "cnn": 0.01}


def refusals(row: Row) -> list[str]:
    """Why settings, some of which may be left open, cannot stand together; empty where they can."""
    has = row.get
    is_tile = str(has("rows", "patch")).startswith("tile")
    known = {
        "merge: blend wants an overlap": has("merge") == "blend" and has("overlap_px", 32) == 0,
        "merge: blend goes with granularity: patch": has("merge") == "blend" and is_tile,
        "stride_px goes with granularity: patch": has("stride_px") is not None and is_tile,
        "cannot pool by cls": has("rows") == "tile cls" and has("family", "transformer") != "transformer",
        "names a layer that raw does not have": has("layers") == "two" and has("family") == "raw",
        "difference needs two dates": has("temporal") == "difference" and has("source", "season_both") != "season_both",
        "two valid patches": has("then") == "pca" and is_tile and (
            has("region") is not None or has("size_px", 64) is None
        ),
        "one place": has("then") == "train and predict" and (
            is_tile or has("source", "chips") in ("file", "files") or has("region") is not None
        ),
    }  # fmt: skip
    return [words for words, is_so in known.items() if is_so]


def is_allowed(row: Row) -> bool:
    return not refusals(row)


ROWS = covering_rows(FACTORS, is_allowed)
# The whole product has millions of rows; other covering sets bring other neighbours to each pair.
_OTHER_SETS = range(1, 11)
REFUSED = sorted(set(all_pairs(FACTORS)) - set(possible_pairs(FACTORS, is_allowed)), key=repr)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _clouds_once() -> Iterator[None]:
    """The cloud mask of the same pixels is computed once: these scenes are so small that each tile shows it all of one."""
    known: dict[tuple[object, ...], np.ndarray] = {}

    def remembered(image: np.ndarray, valid: np.ndarray, level: str, buffer_px: int) -> np.ndarray:
        key = (image.shape, image.tobytes(), valid.tobytes(), level, buffer_px)
        if key not in known:
            known[key] = cloud_mask.cloud_and_shadow(image, valid, level, buffer_px)  # type: ignore[arg-type]
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clouds, "cloud_and_shadow", remembered)
        yield


def told(row: Row) -> str:
    """The settings of a row that are not at their default, as a test's name."""
    return (
        ", ".join(f"{name}={row[name]}" for name, values in FACTORS.items() if row[name] != values[0])
        or "defaults"
    )


@pytest.mark.parametrize("row", ROWS, ids=told)
def test_a_pair_of_settings_gives_the_rows_of_the_reference(
    row: Row, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(row, scenes)
    run = tmp_path / "run"
    if row["then"] == "resume":
        monkeypatch.setattr(writer, "ROWS_A_PART", 8)
        interrupted(job.extract(config, run, scenes), 2)
    list(job.extract(config, run, scenes))
    store = EmbeddingStore.open(run)
    assert not check_store(store.folder)
    expected = reference_rows(make_plan(config, scenes))
    assert {tile.id for tile in store.tiles} == expected.keys()
    valid = np.split(store.read_valid_fraction(), np.cumsum([tile.rows for tile in store.tiles])[:-1])
    for tile, share in zip(store.tiles, valid, strict=True):
        columns, wanted_share = expected[tile.id]
        assert np.allclose(share, wanted_share, atol=1e-6), tile.id
        for layer, values in zip(store.meta.layers, columns, strict=True):
            found = store.read_tile(tile.id, layer).reshape(tile.rows, -1).astype(np.float32)[share > 0]
            assert found.shape[1] == values.shape[1]
            assert (
                np.abs(found - values[share > 0]).max(initial=0)
                <= TOLERANCE[str(row["family"])] * np.abs(values).max()
            )
    THEN[str(row["then"])](store, tmp_path, scenes)


@pytest.mark.parametrize(
    "pair", REFUSED, ids=lambda pair: " and ".join(f"{name}={value}" for name, value in pair)
)
def test_a_pair_that_cannot_stand_together_is_refused_in_words(
    pair: Pair, scenes: Path, tmp_path: Path
) -> None:
    row = {name: values[0] for name, values in FACTORS.items()} | dict(pair)
    with pytest.raises(BadInput) as refused:
        list(job.extract(config_of(row, scenes), tmp_path / "run", scenes))
        train_and_predict(EmbeddingStore.open(tmp_path / "run"), tmp_path, scenes)
    assert refused.value.exit_code == 2
    assert len(str(refused.value)) > 40


def nothing_more(store: EmbeddingStore, folder: Path, scenes: Path) -> None:
    """The store has been checked."""


def pca(store: EmbeddingStore, folder: Path, scenes: Path) -> None:
    pca_overlay(view_of(store, store.meta.layers[-1]), folder / "pca.tif")
    with rasterio.open(folder / "pca.tif") as image:
        assert image.count == 4
        assert (image.read(4) > 0).any()


def exported(store: EmbeddingStore, folder: Path, scenes: Path) -> None:
    (archive,) = export(store, store.meta.layers[-1], folder / "all.npz", "npz").files
    with np.load(archive) as arrays:
        assert np.array_equal(arrays["embeddings"].reshape(store.rows, -1), store.read(store.meta.layers[-1]))
    if store.meta.granularity == "patch":
        for path in export(store, store.meta.layers[0], folder / "maps.tif", "geotiff").files:
            with rasterio.open(path) as image:
                assert image.count == store.meta.dims[0]


def train_and_predict(store: EmbeddingStore, folder: Path, scenes: Path) -> None:
    config, run = train_config(store.folder), folder / "train"
    run_folder.create(run, config)
    list(recorded(run, train(config, run, scenes)))
    with rasterio.open(predict_map(run, store.folder, folder / "map.tif", scenes).path) as image:
        assert set(np.unique(image.read(1))) <= {-1, 0, 1, 255}


def whole_run_is_the_same(store: EmbeddingStore, folder: Path, scenes: Path) -> None:
    list(job.extract(parse_config(store.meta.config), folder / "again", scenes))  # type: ignore[arg-type]
    tables = [pq.read_table(at).drop_columns(["embedding"] if len(store.meta.dims) == 1 else list(store.meta.columns))
              for at in (store.folder, folder / "again/store")]  # fmt: skip
    assert tables[0].equals(tables[1])
    assert np.array_equal(
        store.read(store.meta.layers[0]), EmbeddingStore.open(folder / "again").read(store.meta.layers[0])
    )


THEN: dict[str, Callable[[EmbeddingStore, Path, Path], None]] = {
    "check": nothing_more, "pca": pca, "export": exported, "train and predict": train_and_predict,
    "resume": whole_run_is_the_same,
}  # fmt: skip
