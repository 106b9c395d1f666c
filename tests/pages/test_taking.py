"""What a page shows can be taken: the links of each page, followed as a browser does."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from rasterio.io import MemoryFile
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.jobs.configuration.config import RegionConfig
from pages.ui.map import layers
from pages.ui.state import cached, downloads
from tests.pages.conftest import OpenPage, place_of, words

_LINK = re.compile(r'<a class="es-take" href="([^"]+)" download>([^<]+)</a>')


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=downloads.routes()), base_url="http://127.0.0.1")


def _links(said: str) -> dict[str, str]:
    """Label (without its size) -> address of the files that a page offers."""
    return {label.partition(" · ")[0]: address for address, label in _LINK.findall(said)}


def test_a_run_and_its_report_and_a_store_are_taken_whole(
    open_page: OpenPage, filled_home: Path, client: TestClient
) -> None:
    links = _links(words(open_page("runs", job="run-train")))
    assert "<h1>" in client.get(links["Report, one page"]).text
    store = _links(words(open_page("embeddings", job="run-extract")))["The whole store as a zip"]
    for address, folder in (
        (links["All of it as a zip"], filled_home / "run-train"),
        (store, filled_home / "run-extract" / "store"),
    ):
        answer = client.get(address)
        assert answer.headers["content-disposition"].endswith(".zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            held = {name: archive.read(name) for name in archive.namelist()}
        there = {path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}
        assert set(held) == {(Path(folder.name) / path.relative_to(folder)).as_posix() for path in there}
        assert all(held[f"{folder.name}/{path.relative_to(folder)}"] == path.read_bytes() for path in there)


def test_the_curves_of_a_training_are_taken_as_a_table_and_a_picture(
    open_page: OpenPage, filled_home: Path, client: TestClient
) -> None:
    links = _links(words(open_page("evaluate", job="run-train")))
    rows = list(csv.DictReader(io.StringIO(client.get(links["Curves, CSV"]).text)))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(float(row["train_loss"]) > 0 for row in rows)
    assert [row["is_kept"] for row in rows].count("yes") == 1
    picture = Image.open(io.BytesIO(client.get(links["Curves, PNG"]).content))
    assert len(set(picture.convert("RGB").resize((300, 200)).tobytes())) > 20


def test_the_imagery_that_explore_shows_is_taken_as_a_geotiff_and_cut_to_the_region(
    open_page: OpenPage, home: Path, client: TestClient
) -> None:
    at = open_page("explore")
    whole = _links(words(at))["GeoTIFF"]
    scene = cached.scenes(place_of(at).scene)[0]
    west, south, east, north = layers.bounds_of([scene])
    at.session_state["region"] = RegionConfig(
        bounds_lonlat=(west, south, (west + east) / 2, (south + north) / 2)
    )
    cut = _links(words(at.run()))["GeoTIFF"]
    areas = []
    for address in (whole, cut):
        with MemoryFile(client.get(address).content) as held, held.open() as out:
            assert out.descriptions == scene.bands
            assert out.tags()["EMBERSCOPE_SENSOR"] == scene.sensor.name
            areas.append(out.width * out.height)
    assert areas[0] == scene.width * scene.height
    assert 0.2 < areas[1] / areas[0] < 0.35
    assert not list(home.glob(".cut-*"))
