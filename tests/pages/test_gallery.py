"""The scenes side by side: what is told of each, and their small pictures."""

from __future__ import annotations

import io
import shutil
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.imagery.sources import ChipsScene
from engine.imagery.sources.chip_folder import chip_scenes
from engine.jobs.configuration.config import ExtractConfig, SceneConfig
from engine.learning.keeping.result import TrainRun
from engine.learning.maps import scene_scores
from pages.ui.jobs.scene_scores import newest
from pages.ui.map import layers, stretch
from pages.ui.map.routes import galleries, rendering, serving, tiles
from pages.ui.state import cached, own_places, results
from tests.conftest import WriteRaster
from tests.pages.conftest import CHIPS, OpenPage


@pytest.fixture(autouse=True)
def _no_gallery_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(galleries, "_galleries", OrderedDict())


BOX = (-75.6, 37.6, -75.5, 37.7)


@pytest.fixture(autouse=True)
def _may_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0, 1), "50 % burned"),
        ((0, 0), "fire-free"),
        ((-1, -1), "unlabelled"),
        ((255, 255), "unlabelled"),
        ((2, 3), "labelled"),
    ],
)
def test_a_scene_is_told_as_burned_fire_free_labelled_or_unlabelled(
    write_raster: WriteRaster, values: tuple[int, int], words: str
) -> None:
    mask = np.repeat(np.array(values, np.int16), 32)[None, :, None] * np.ones((1, 64, 64), np.int16)
    path = write_raster("mask.tif", mask, names=None)
    token = galleries.register(
        galleries.Gallery("0" * 32, (galleries.Item("a", "A", "", 0, BOX, mask=path),), True)
    )
    (scene,) = galleries.told(token)["scenes"]  # type: ignore[misc]
    assert scene["label"] == words


def test_a_scene_without_labels_is_unlabelled_only_where_others_have_some() -> None:
    for has_labels, words in ((True, "unlabelled"), (False, "")):
        token = galleries.register(
            galleries.Gallery("0" * 32, (galleries.Item("a", "A", "", 0, BOX),), has_labels)
        )
        assert galleries.told(token)["scenes"][0]["label"] == words  # type: ignore[index]


def test_an_unknown_gallery_and_an_unknown_picture_are_not_found(write_raster: WriteRaster) -> None:
    client = TestClient(Starlette(routes=serving.routes()), base_url="http://127.0.0.1")
    path = write_raster("rgb.tif", np.full((3, 64, 32), 9, np.uint8), names=None)
    token = tiles.register(tiles.Layer((tuple(tiles.Band(path, index) for index in (1, 2, 3)),)))
    assert client.get(f"/maps/galleries/{'0' * 32}.json").status_code == 404
    assert client.get(f"/tiles/{token}/pictures/1.png").status_code == 404
    answer = client.get(f"/tiles/{token}/pictures/0.png")
    seen = Image.open(io.BytesIO(answer.content))
    assert seen.size == (64, 128), "a small picture keeps the scene's shape"


def test_a_small_picture_is_transparent_where_the_scene_has_gaps(write_raster: WriteRaster) -> None:
    values = np.full((1, 64, 64), 100, np.int16)
    values[:, :, :32] = -9
    band = tiles.Band(write_raster("gap.tif", values, names=None), nodata=(-9.0,))
    token = tiles.register(tiles.Layer(((band,) * 3,), ((0.0, 200.0),) * 3))
    alpha = np.asarray(Image.open(io.BytesIO(rendering.picture(token, 0))).convert("RGBA"))[..., 3]
    assert alpha[:, :60].max() == 0
    assert alpha[:, 70:].min() == 255


def test_evaluate_shows_each_test_scene_with_its_score(open_page: OpenPage, filled_home: Path) -> None:
    run = TrainRun.open(filled_home / "run-train")
    scenes = cached.scenes(run_source(run))
    outlines = {scene.id: layers.footprint(scene) for scene in scenes}
    told = scene_scores.words_of(run.errors, outlines, tuple(run.task.error_style.names))
    assert 0 < len(told) < CHIPS, "only the test scenes have errors"
    assert all(words.startswith(("IoU", "rightly")) for words in told.values())
    at = open_page("evaluate", job="run-train")
    assert not at.exception


@pytest.mark.parametrize(
    ("page", "asked"),
    [("embeddings", {"job": "run-extract"}), ("apply", {"job": "run-train", "ground": "store:run-extract"})],
)
def test_the_scenes_stand_side_by_side_wherever_there_are_several(
    open_page: OpenPage, filled_home: Path, drawn_maps: list[dict[str, Any]], page: str, asked: dict[str, str]
) -> None:
    at = open_page(page, **asked)
    assert not at.exception
    (made,) = galleries._galleries
    assert len(galleries.told(made)["scenes"]) == CHIPS  # type: ignore[arg-type]
    (layer, *_) = drawn_maps[-1]["feature_group_to_add"][0]._children.values()
    assert made in layer.options["gallery"]


@pytest.fixture
def own_filled(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the filled workspace that a test may write to."""
    home = shutil.copytree(filled, tmp_path / "own")
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    monkeypatch.setenv("EMBERSCOPE_DATA", str(filled / "data"))
    return home


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("explore", {}), ("embeddings", {"job": "run-extract"}), ("label", {"job": "run-extract"}),
        ("apply", {"job": "run-train", "ground": "store:run-extract"}), ("evaluate", {"job": "run-train"}),
    ],
)  # fmt: skip
def test_the_galleries_of_all_pages_tell_how_well_a_scene_was_mapped_once_it_was_tested(
    open_page: OpenPage, own_filled: Path, page: str, asked: dict[str, str]
) -> None:
    run = TrainRun.open(own_filled / "run-train")
    assert not open_page(page, place=own_places.keep("Chips", run_source(run), "raw"), **asked).exception
    told = galleries.told(list(galleries._galleries)[-1])
    scores = {scene["id"]: scene["score"] for scene in told["scenes"] if scene["score"]}  # type: ignore[attr-defined]
    outlines = {scene.id: layers.footprint(scene) for scene in cached.scenes(run_source(run))}
    assert scores == scene_scores.words_of(run.errors, outlines, tuple(run.task.error_style.names))
    assert bool(told["scoredBy"]) == (page != "evaluate"), "where the page does not say whose scores they are"
    assert told["isWorstFirst"] == (page == "evaluate")
    if page == "evaluate":
        assert [scene["id"] for scene in told["scenes"] if scene["score"]] == list(scores)  # type: ignore[attr-defined]
        assert list(scores.values()) == sorted(scores.values()), "from the least IoU on"


def test_scores_of_other_scenes_of_the_same_names_are_not_told(filled_home: Path, tmp_path: Path) -> None:
    scenes = cached.scenes(run_source(TrainRun.open(filled_home / "run-train")))
    assert not newest(ChipsScene(source="chips", path=str(tmp_path)), scenes).words


def run_source(run: TrainRun) -> SceneConfig:
    return ExtractConfig.model_validate(results.open_store(run.store_folder).meta.config).scene


def test_a_map_of_scenes_far_apart_opens_on_one_that_is_almost_free_of_clouds(
    filled_home: Path, write_raster: WriteRaster
) -> None:
    cloudy = write_raster("cloudy.tif", np.full((1, 64, 64), -1, np.int16), names=None)
    one, *_, last = chip_scenes(filled_home / "data" / "chips")
    far = Affine.translation(9e4, 0) @ last.grid.affine
    other = replace(last, grid=GeoBox(last.grid.shape, far, last.grid.crs))
    assert layers.opening([one, other]) == layers.bounds_of([one])
    for hidden in (replace(one, mask_path=cloudy), replace(one, cloud_pct=60.0)):
        assert layers.opening([hidden, other]) == layers.bounds_of([other])


def test_a_map_of_scenes_far_apart_opens_on_the_one_whose_scar_is_clearest(
    filled_home: Path, write_raster: WriteRaster
) -> None:
    one, *_ = chip_scenes(filled_home / "data" / "chips")
    scenes = []
    for at, share in enumerate((0.0, 0.02, 0.4, 0.97)):
        mask = (np.arange(64 * 64).reshape(1, 64, 64) < share * 64 * 64).astype(np.int16)
        far = Affine.translation(9e4 * at, 0) @ one.grid.affine
        grid = GeoBox(one.grid.shape, far, one.grid.crs)
        scenes.append(replace(one, grid=grid, mask_path=write_raster(f"{at}.tif", mask, names=None)))
    assert layers.opening(scenes) == layers.bounds_of([scenes[2]])


def test_scenes_of_one_level_are_stretched_alike_and_haze_is_taken_off_each_picture(
    write_raster: WriteRaster, filled_home: Path
) -> None:
    one, *_ = chip_scenes(filled_home / "data" / "chips")
    rising = np.linspace(0.02, 0.12, 64 * 64, dtype=np.float32).reshape(1, 64, 64)
    cloudy = np.where(np.arange(64) < 20, np.float32(0.8), rising)

    def picture(name: str, values: np.ndarray) -> tuple[tiles.Band, ...]:
        return (tiles.Band(write_raster(f"{name}.tif", values, names=None)),)

    def drawn(level: str, *pictures: tuple[tiles.Band, ...]) -> list[tuple[float, float]]:
        scenes = [replace(one, level=level)] * len(pictures)
        return [found[0] for found in stretch.of_pictures(scenes, pictures)]

    low, high = picture("low", rising), picture("high", rising + 0.05)
    ground = drawn("surface", low, picture("cloudy", cloudy), low)
    assert len(set(ground)) == 1
    assert ground[0] == pytest.approx(drawn("surface", low)[0]), "a cloudy scene does not darken the others"
    hazy = drawn("top of atmosphere", low, high)
    assert hazy[1] == pytest.approx([end + 0.05 for end in hazy[0]], abs=1e-4)
    nothing = drawn("surface", picture("nothing", np.full((1, 64, 64), np.nan, np.float32)))
    assert nothing == [(0.0, 1.0)]
