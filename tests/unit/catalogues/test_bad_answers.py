"""What catalogues and servers do wrong: each time a sentence that names it, in time, and nothing half-read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.errors import ConfigError, SceneError
from engine.imagery.catalogues import search as searching
from engine.imagery.remote import http
from tests.stac.bad import feature, refused, server, wanted
from tests.stac.range_server import Handler, RangeServer

__all__ = ["server"]


def test_a_server_that_is_down_is_told(server: RangeServer, home: Path) -> None:
    settings = yaml.safe_load((home / "catalogues.yaml").read_text())
    settings["hosts"].append("127.0.0.1:9")
    settings["catalogues"]["bad"]["address"] = "http://127.0.0.1:9/"
    (home / "catalogues.yaml").write_text(yaml.safe_dump(settings))
    refused(home, r"http://127.0.0.1:9/ cannot be had: the server does not answer, 4 times")


def test_a_slow_server_is_not_waited_for_without_end(
    server: RangeServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_READ_S", 0.05)
    server.latency_s = 0.3
    refused(home, "does not answer in time")


def _dripping(handler: Handler) -> bool:
    handler.send_response(206 if "Range" in handler.headers else 200)
    handler.send_header("Content-Length", "50000")
    handler.send_header("Content-Range", "bytes 0-49999/50000")
    handler.end_headers()
    handler.close_connection = True
    try:
        for _ in range(300):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.01)
    except OSError:
        pass
    return True


@pytest.mark.parametrize("path", ["/search", "/red.tif"])
def test_a_server_that_drips_is_left_and_not_asked_again(
    server: RangeServer, home: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(http, "_PATIENCE_S", 0.2)
    server.fault = lambda handler: handler.path == path and _dripping(handler)
    told = refused(home, r"only \d+ bytes came in \d+ s")
    assert path == "/search" or "of 2023-07-10" in told
    assert [one for _, one, _ in server.asked].count(path) == 1


def test_an_answer_in_pieces_is_read_whole(server: RangeServer, home: Path) -> None:
    def pieces(handler: Handler) -> bool:
        body = json.dumps(server.pages["/search"]).encode()
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for start in range(0, len(body), 700):
            part = body[start : start + 700]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")
        return True

    server.fault = lambda handler: handler.path == "/search" and pieces(handler)
    list(wanted().prepare(home))
    assert wanted().is_ready(home)


@pytest.mark.parametrize("path", ["/search", "/red.tif"])
def test_a_server_that_fails_is_asked_again_and_then_told(server: RangeServer, home: Path, path: str) -> None:
    asked: list[int] = []

    def fails(handler: Handler, times: int) -> bool:
        if handler.path != path or len(asked) >= times:
            return False
        asked.append(1)
        handler.answer(500, b"")
        return True

    server.fault = lambda handler: fails(handler, 100)
    told = refused(home, "the server answered 500, 4 times")
    assert path == "/search" or "of 2023-07-10" in told
    asked.clear()
    server.fault = lambda handler: fails(handler, 2)
    list(wanted().prepare(home))
    assert len(asked) == 2


def _cut_short(handler: Handler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"type": "FeatureCollection", "features": [')
    handler.close_connection = True
    return True


def _half(handler: Handler) -> bool:
    handler.answer(200, b'{"type": "FeatureCollection", "features": [')
    return True


def _endless(handler: Handler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    try:
        while True:
            handler.wfile.write(b" " * 100_000)
    except OSError:
        return True


@pytest.mark.parametrize(
    ("answers", "match"),
    [
        (_cut_short, "cut short"),
        (_half, "did not answer as a STAC API does"),
        (_endless, "the answer has more than 1 MB"),
    ],
)
def test_a_page_that_is_cut_short_half_or_endless_is_told(
    server: RangeServer,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: Callable[[Handler], bool],
    match: str,
) -> None:
    monkeypatch.setattr(searching, "_MOST_PAGE_BYTES", 1_000_000)
    server.fault = lambda handler: handler.path == "/search" and answers(handler)
    refused(home, match)


def test_pages_that_lead_to_themselves_end(server: RangeServer, home: Path) -> None:
    here = {
        "rel": "next",
        "href": f"{server.address}/search",
        "method": "POST",
        "body": {"token": "next"},
        "merge": True,
    }
    server.pages["/search"]["links"] = [here]
    refused(home, "Bad one gives pages of results without end")


def test_pages_of_new_items_without_end_are_bounded(server: RangeServer, home: Path) -> None:
    first, count = feature(server), iter(range(10**9))

    def page(_: Handler) -> dict[str, Any]:
        features = [{**first, "id": f"item{next(count)}"} for _ in range(300)]
        here = {"rel": "next", "href": f"{server.address}/search", "method": "POST", "body": {}}
        return {"type": "FeatureCollection", "features": features, "links": [here]}

    server.pages["/search"] = page
    refused(home, "more than 1,000 items")


@pytest.mark.parametrize(
    "answer", [{"features": [{"id": 3}], "type": "FeatureCollection"}, [1], "x", {"features": "x"}]
)
def test_what_is_no_item_is_told(server: RangeServer, home: Path, answer: object) -> None:
    server.pages["/search"] = answer
    refused(home, "did not answer as a STAC API|No item", SceneError)


def test_settings_that_cannot_be_read_and_names_that_are_not_there_are_told(
    server: RangeServer, home: Path
) -> None:
    refused(
        home,
        "The catalogue 'bda' is not known: did you mean bad|Set scene.catalogue",
        ConfigError,
        catalogue="bda",
    )
    refused(home, "no collection 'sentinel2'", ConfigError, collection="sentinel2")
    (home / "catalogues.yaml").write_text("hosts: 3")
    refused(home, "cannot be read as settings", ConfigError)
