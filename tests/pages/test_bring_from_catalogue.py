"""Embeddings of a region and a year come from a catalogue through the dialog: told first, then fetched by a job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine.imagery.remote import http
from engine.jobs.configuration.config import ExtractConfig
from engine.jobs.job import list_jobs
from tests.pages.conftest import OpenPage, words
from tests.stac.range_server import RangeServer, range_server
from tests.unit.store.catalogues.made import (
    BELOW,
    alphaearth_file,
    alphaearth_index,
    region_of,
    settle,
    vectors_of,
)

REGION = region_of(5, 5, 40, 40)


@pytest.fixture
def server(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    monkeypatch.setattr(http, "_PAUSE_S", 0.001)
    with range_server(tmp_path / "files") as made:
        alphaearth_index(made.folder, [alphaearth_file(made.folder, 2024, "18N", vectors_of(64, 64))])
        settle(home, made, ours=("alphaearth", f"{BELOW}/aef_index.parquet"))
        yield made


def ask(at: AppTest, year: int) -> AppTest:
    at.button(key="bring").click().run()
    at.segmented_control(key="bring_way").set_value("From a catalogue").run()
    at.selectbox(key="bring_catalogue").set_value("ours").run()
    at.number_input(key="bring_year").set_value(year).run()
    return at.button(key="bring_see").click().run()


def opened(open_page: OpenPage) -> AppTest:
    return open_page("runs", region=",".join(f"{edge:.6f}" for edge in REGION.bounds_lonlat))


def test_what_is_there_is_told_and_then_a_job_fetches_it(
    open_page: OpenPage, home: Path, server: RangeServer
) -> None:
    at = ask(opened(open_page), 2024)
    assert at.selectbox(key="bring_ground").value == "The region chosen on Explore"
    said = words(at)
    for fact in ("alphaearth_v1", "CC-BY-4.0", "Google DeepMind", "To be fetched", "EPSG:32618", "1 file"):
        assert fact in said
    assert list_jobs(home) == []
    at.button(key="bring_fetch").click().run()
    (job,) = list_jobs(home)
    job.cancel(wait_s=30)
    assert isinstance(job.config, ExtractConfig) and job.config.scene.title == "ours 2024"
    assert "Import · alphaearth_v1" in words(at) and not at.exception


def test_a_year_that_is_not_there_and_a_server_that_is_down_are_said_in_words(
    open_page: OpenPage, home: Path, server: RangeServer
) -> None:
    at = ask(opened(open_page), 2019)
    assert "has no embeddings of 2019 in the region; it has 2024" in words(at)
    server.fault = lambda handler: handler.answer(503, b"") or True
    at.number_input(key="bring_year").set_value(2018).run()
    assert "2019" not in words(at)
    at.selectbox(key="bring_catalogue").set_value("tessera").run()
    at.selectbox(key="bring_catalogue").set_value("ours").run()
    at.button(key="bring_see").click().run()
    assert "it has 2024" in words(at) and not at.exception and list_jobs(home) == []
