"""Embeddings that others made are looked at in a dialog before they are used, and opened where they lie or copied by a job."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from streamlit.testing.v1 import AppTest

from engine.jobs.job import list_jobs
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from tests.pages.conftest import OpenPage, words
from tests.unit.store.products.made import alphaearth, in_8_bits, unit_vectors, write_tiff
from tests.unit.store.products.test_chips import tiff_folder
from tests.unit.store.products.test_zarr_groups import tessera


@pytest.fixture(autouse=True)
def _may_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))


def look_at(at: AppTest, path: Path) -> AppTest:
    at.button(key="bring").click().run()
    at.text_input(key="bring_path").set_value(str(path))
    return at.button(key="bring_typed").click().run()


def test_what_a_file_is_stands_beside_a_picture_before_anything_is_written(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    path = alphaearth(tmp_path / "annual/2023/18N/x.tiff", unit_vectors(40, 50))
    at = look_at(open_page("runs"), path)
    said = words(at)
    for fact in (
        "alphaearth_v1",
        "x = sign(v) (v / 127.5)^2",
        "2023",
        "CC-BY-4.0",
        "Google DeepMind",
        "-128",
    ):
        assert fact in said
    assert at.get("image") and list_jobs(home) == []
    at.button(key="bring_open").click().run()
    (job,) = list_jobs(home)
    assert job.state == "finished" and EmbeddingStore.open(job.folder).is_in_place
    assert at.session_state["store_job"] == job.id


def test_a_file_that_cannot_be_right_is_refused_in_words_and_leads_back(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    path = write_tiff(tmp_path / "x.tif", np.ones((20, 20, 12), np.int8))
    at = look_at(open_page("runs"), path)
    assert "no scale" in words(at)
    at.button(key="bring_back").click().run()
    assert at.text_input(key="bring_path")
    assert list_jobs(home) == []


def test_a_model_without_which_a_file_cannot_be_looked_at_is_stated_in_the_dialog(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    path = write_tiff(tmp_path / "x.tif", in_8_bits(unit_vectors(20, 20)))
    at = look_at(open_page("runs"), path)
    assert "no scale" in words(at) and "--model" not in words(at)
    at.selectbox(key="bring_model").set_value("alphaearth_v1").run()
    assert "x = sign(v) (v / 127.5)^2" in words(at) and "Google DeepMind" in words(at)
    at.button(key="bring_open").click().run()
    assert [job.config.backbone.name for job in list_jobs(home)] == ["alphaearth_v1"]


def test_of_a_group_of_several_years_one_is_chosen_and_it_alone_is_opened(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    group, _ = tessera(tmp_path / "v2.zarr")
    at = look_at(open_page("runs"), group)
    select = at.selectbox(key="bring_year")
    assert select.value is None and select.options == ["All, each a date", "2023", "2024"]
    select.set_value(2024).run()
    assert not at.exception
    at.button(key="bring_open").click().run()
    (job,) = list_jobs(home)
    store = EmbeddingStore.open(job.folder)
    assert {str(tile.datetimes[0])[:4] for tile in store.tiles} == {"2024"} and store.is_in_place
    assert job.config.scene.year == 2024


def test_a_copy_is_made_by_a_job_that_the_dialog_shows_beside_the_panel_of_another_run(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    path = write_tiff(tmp_path / "x.tif", unit_vectors(20, 20, 12))
    import_embeddings(path, home / "shown", in_place=True)
    at = look_at(open_page("runs", job="shown"), path)
    at.segmented_control(key="bring_in_place").set_value("Copy into a store").run()
    at.button(key="bring_open").click().run()
    assert not at.exception
    job = next(job for job in list_jobs(home) if job.id != "shown")
    for _ in range(120):
        if job.state == "finished":
            break
        time.sleep(0.5)
    at.run()
    assert at.button(key="bring_done") and not at.exception
    assert not EmbeddingStore.open(job.folder).is_in_place


def test_chips_ask_for_their_images_and_lie_where_these_do(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    out, images = tiff_folder(tmp_path / "chips")
    at = look_at(open_page("runs"), out)
    assert "says nowhere where it lies" in words(at) and "--images" not in words(at)
    at.text_input(key="bring_images").set_value(str(images)).run()
    assert "prithvi_eo_v2_300" in words(at) and at.get("image")
    at.button(key="bring_open").click().run()
    (job,) = list_jobs(home)
    assert EmbeddingStore.open(job.folder).is_in_place


def test_a_globe_in_degrees_is_looked_at_and_a_part_of_it_is_taken(
    open_page: OpenPage, home: Path, tmp_path: Path
) -> None:
    path = write_tiff(
        tmp_path / "globe.tif", np.ones((361, 720, 8), np.float32), transform=Affine(0.5, 0, -180, 0, -0.5, 90), crs="EPSG:4326"
    )  # fmt: skip
    at = look_at(open_page("runs"), path)
    assert "259,920 footprints" in words(at) or at.selectbox(key="bring_region").value.startswith(
        "The middle"
    )
    at.selectbox(key="bring_region").set_value("By its corners").run()
    at.text_input(key="bring_corners").set_value("10, 45, 11, 46").run()
    assert "footprints" in words(at) and not at.exception
