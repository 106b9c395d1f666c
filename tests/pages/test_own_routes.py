"""Every route of the app's own table answers its own pages only: Host, Origin and Sec-Fetch-Site are looked at on each."""

from __future__ import annotations

import re

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.testclient import TestClient

from pages.ui.door import sign_in
from pages.ui.door.door import Door
from pages.ui.map.routes import serving
from pages.ui.state import downloads

_HERE = "http://127.0.0.1:8501"
_TABLE = [*serving.routes(), *downloads.routes()]
_FOREIGN = [
    ({"host": "evil.example:8501"}, 421),
    ({"origin": "http://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "same-site"}, 403),
]


def _address(route: BaseRoute) -> str:
    """An address that a route answers."""
    path = re.sub(r"\{\w+:int\}", "1", str(route.path))  # type: ignore[attr-defined]
    return re.sub(r"\{\w+\}", "abc", path) + ("/leaflet.js" if isinstance(route, Mount) else "")


@pytest.fixture
def visitor(home: object, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    given = {"server.allowedHosts": ["127.0.0.1"], "server.baseUrlPath": ""}
    monkeypatch.setattr(st, "get_option", given.get)
    return TestClient(Starlette(routes=_TABLE, middleware=[Middleware(Door)]), base_url=_HERE)


@pytest.mark.parametrize("route", _TABLE, ids=_address)
def test_a_route_refuses_what_another_site_asks_for(visitor: TestClient, route: BaseRoute) -> None:
    for headers, status in _FOREIGN:
        assert visitor.get(_address(route), headers=headers).status_code == status, headers
    for headers in ({}, {"origin": _HERE, "sec-fetch-site": "same-origin"}):
        assert visitor.get(_address(route), headers=headers).status_code not in (403, 421)


@pytest.mark.parametrize("path", [sign_in.PATH, sign_in.OUT])
def test_the_forms_of_the_door_refuse_another_site(
    visitor: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("EMBERSCOPE_PASSWORD", "correct horse")
    for headers, status in _FOREIGN[:3]:
        assert visitor.post(path, headers=headers).status_code == status, headers
