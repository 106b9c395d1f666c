"""Places asked of a Nominatim server: its form read right, and whatever else comes told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from engine.errors import EngineError
from engine.imagery.catalogues import places_online
from engine.imagery.catalogues.places_online import find_places_online
from engine.imagery.remote import http
from tests.stac.range_server import Handler, RangeServer, range_server


@pytest.fixture
def service(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    monkeypatch.setattr(http, "_PAUSE_S", 0.001)
    monkeypatch.setattr(places_online, "_BETWEEN_S", 0.0)
    with range_server(tmp_path) as server:
        settings = {"hosts": [server.host], "services": {"places": f"{server.address}/search"}}
        (home / "catalogues.yaml").write_text(yaml.safe_dump(settings))
        yield server


def answering(server: RangeServer, status: int, body: bytes) -> list[str]:
    asked: list[str] = []

    def answer(handler: Handler) -> bool:
        asked.append(handler.path)
        handler.answer(status, body)
        return True

    server.fault = answer
    return asked


def test_places_come_with_their_boxes(service: RangeServer) -> None:
    body = json.dumps([
        {"display_name": "Mount  Etna, Sicily, Italy", "boundingbox": ["37.6", "37.9", "14.8", "15.2"]},
        {"display_name": "A house", "boundingbox": ["10.0", "10.0", "179.999", "180.0"]},
    ])  # fmt: skip
    asked = answering(service, 200, body.encode())
    etna, house = find_places_online("  Mount Etna & more ")
    assert parse_qs(urlsplit(asked[0]).query)["q"] == ["Mount Etna & more"]
    assert (etna.title, etna.bounds_lonlat) == ("Mount Etna, Sicily, Italy", (14.8, 37.6, 15.2, 37.9))
    assert etna.region().polygon.area > 0
    west, south, east, north = house.bounds_lonlat
    assert (round(north - south, 6), east) == (0.02, 180.0)
    assert west < 179.99


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"[]", "knows no place"),
        (200, b"<html>", "no list of places"),
        (200, b'{"error": "no"}', "no list of places"),
        (200, b'[{"display_name": "x"}]', "no list of places"),
        (200, b'[{"display_name": "x", "boundingbox": ["91", "95", "0", "1"]}]', "no list of places"),
        (200, b'[{"display_name": "x", "boundingbox": ["nan", "5", "0", "1"]}]', "no list of places"),
        (403, b"", "answered 403"),
        (500, b"", "500"),
    ],
)
def test_whatever_else_is_answered_is_told(service: RangeServer, status: int, body: bytes, said: str) -> None:
    answering(service, status, body)
    with pytest.raises(EngineError, match=said):
        find_places_online("Etna")
