"""What a page shows can be taken: the links of each page, followed as a browser does."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui.state import downloads
from tests.pages.conftest import OpenPage, words

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
