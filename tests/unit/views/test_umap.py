"""A UMAP is laid out by a job, is the same for the same seed, keeps neighbours together, and is kept with its store."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from engine.concurrency.steps import heard
from engine.errors import StoreError
from engine.jobs.configuration.config import MeasureConfig, UmapConfig
from engine.jobs.events import MeasureStep
from engine.jobs.job import Job, submit
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import DatedView
from engine.views.umap_layout import UmapLayout, kept_layout, make_layout
from engine.views.umap_table import write_umap
from tests.unit.views.comparing.made import COLUMNS, ROWS, SIDE, store_of, view_on

ASKED = UmapConfig(patches=50, neighbours=5, window=1)


@pytest.fixture(scope="module", autouse=True)
def _uncompiled() -> object:
    """Numba's functions as plain Python: compiling them takes longer than laying out so few patches."""
    with pytest.MonkeyPatch.context() as patch:
        if "numba" not in sys.modules:
            patch.setenv("NUMBA_DISABLE_JIT", "1")
        yield


def halves(folder: Path) -> EmbeddingStore:
    """Ground of two kinds, west and east."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.3, (ROWS * SIDE, COLUMNS * SIDE, 6))
    values[:, : COLUMNS * SIDE // 2] += np.array([3, 0, 0, 1, 0, 0])
    return store_of(folder, values)


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> tuple[DatedView, UmapLayout, list[MeasureStep]]:
    view = view_on(halves(tmp_path_factory.mktemp("umap") / "run" / "store"))
    told = list[MeasureStep]()
    return view, heard(make_layout(view, ASKED), told.append), told


def test_two_kinds_of_ground_lie_apart(laid: tuple[DatedView, UmapLayout, list[MeasureStep]]) -> None:
    view, found, _ = laid
    assert len(found.rows) <= ASKED.patches
    is_west = np.array([view.chosen[tile].transform[2] for tile in found.tiles]) < view.chosen[2].transform[2]
    middles = [found.points[which].mean(axis=0) for which in (is_west, ~is_west)]
    nearest = np.linalg.norm(found.points[:, None] - middles, axis=-1).argmin(axis=1)
    assert (nearest == np.where(is_west, 0, 1)).mean() > 0.9


def test_how_far_it_is_is_told_and_the_same_seed_gives_the_same_layout(
    laid: tuple[DatedView, UmapLayout, list[MeasureStep]], tmp_path: Path
) -> None:
    view, found, told = laid
    assert told[0].step == "Reading embeddings"
    kept = kept_layout(view, ASKED)
    assert (
        kept is not None
        and np.array_equal(kept.points, found.points)
        and np.array_equal(kept.rows, found.rows)
    )
    assert kept_layout(view, ASKED.model_copy(update={"seed": 1})) is None
    again = heard(make_layout(view_on(halves(tmp_path / "run" / "store")), ASKED))
    assert np.array_equal(again.points, found.points)


def test_a_table_holds_every_point_on_its_ground(
    laid: tuple[DatedView, UmapLayout, list[MeasureStep]], tmp_path: Path
) -> None:
    view, found, _ = laid
    table = gpd.read_parquet(write_umap(tmp_path / "u.parquet", view, found))
    assert len(table) == len(found.rows) and table.crs.to_string() == "OGC:CRS84"
    assert np.allclose(table[["x", "y"]], found.points)
    assert table.geometry.is_valid.all() and table.union_all().area > 0


def test_a_store_that_changed_has_no_layout_any_more(
    laid: tuple[DatedView, UmapLayout, list[MeasureStep]], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(laid[0].store.folder.parent, folder)  # with the times of its files
    assert kept_layout(view_on(EmbeddingStore.open(folder / "store")), ASKED) is not None
    for part in EmbeddingStore.open(folder / "store").parts:
        os.utime(part.path, (0, 0))
    assert kept_layout(view_on(EmbeddingStore.open(folder / "store")), ASKED) is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.ones((SIDE, SIDE, 5)), "same embedding everywhere"),
        (np.full((SIDE, SIDE, 5), np.nan), "not finite"),
        (np.random.default_rng(0).normal(size=(SIDE, SIDE, 1)), "one number"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(values: np.ndarray, says: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=says):
        heard(make_layout(view_on(store_of(tmp_path / "store", values)), ASKED))


def _until(happened: Callable[[], bool], job: Job) -> None:
    end = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < end and job.state in ("queued", "running"), job.log_tail()
        time.sleep(0.05)


def test_a_job_is_cancelled_while_it_lays_out_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_HOME", str(tmp_path))
    store = halves(tmp_path / "made" / "store")
    long = ASKED.model_copy(update={"patches": 5000, "neighbours": 60})
    job = submit(MeasureConfig(store=str(store.folder), what=long), tmp_path)
    _until(lambda: any(isinstance(event, MeasureStep) for _, event in job.events()), job)
    job.cancel(wait_s=60)
    assert job.state == "cancelled"
    assert not list((store.folder.parent / "umap").glob("*"))
    assert job.command == f"python -m engine umap {store.folder} --window=1 --patches=5000 --neighbours=60"
