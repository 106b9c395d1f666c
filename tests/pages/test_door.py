"""The door: foreign names are refused, and where there is a password nothing is answered without it."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from pages.ui.door import password, secret
from pages.ui.door.door import Door
from pages.ui.map.routes import serving

HOST = "127.0.0.1:8501"
ADDRESSES = ("/", "/runs", "/media/abc.zip", "/_stcore/host-config", "/maps/world.geojson", "/map/emberscope-map.js", "/vendor/leaflet.js", "/tiles/abc/1/1/1.png")  # fmt: skip


async def _page(_request: object) -> PlainTextResponse:
    return PlainTextResponse("inside")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


def server() -> Starlette:
    routes: list[BaseRoute] = [
        *serving.routes(),
        WebSocketRoute("/_stcore/stream", _socket),
        Route("/{rest:path}", _page),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Door)])


def ask(
    path: str,
    method: str = "GET",
    body: bytes = b"",
    kind: str = "http",
    address: str = "10.0.0.7",
    **headers: str,
) -> tuple[int, dict[str, str], str]:
    """Status, headers and body that a server gives; a refused websocket is 403, an accepted one 101."""
    sent: list[dict[str, Any]] = []
    given = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
    where, _, query = path.partition("?")
    scope = {
        "type": kind, "path": where, "raw_path": where.encode(), "query_string": query.encode(), "method": method, "scheme": "http" if kind == "http" else "ws",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()], "client": (address, 5000),
        "server": ("127.0.0.1", 8501), "root_path": "", "http_version": "1.1", "subprotocols": [],
    }  # fmt: skip
    inbox = [{"type": "http.request", "body": body} if kind == "http" else {"type": "websocket.connect"}]

    async def receive() -> dict[str, Any]:
        return inbox.pop(0) if inbox else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(server()(scope, receive, send))  # type: ignore[arg-type]
    if kind == "websocket":
        return (101 if sent[0]["type"] == "websocket.accept" else 403), {}, ""
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return (
        sent[0]["status"],
        found,
        b"".join(part.get("body", b"") for part in sent[1:]).decode(errors="replace"),
    )


def sign_in(
    given: str, workspace: str = "Anna", wanted: str = "/", **more: str
) -> tuple[int, dict[str, str], str]:
    body = urlencode({"password": given, "workspace": workspace, "next": wanted}).encode()
    return ask("/sign-in", "POST", body, **more)


@pytest.fixture
def workshop(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server with a password that nobody has tried yet."""
    monkeypatch.setenv(password.VARIABLE, "correct horse")
    monkeypatch.setattr(password, "_wrong", type(password._wrong)())
    return "correct horse"


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_foreign_name_is_refused_at_every_address(
    home: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(
        st, "get_option", {"server.allowedHosts": ["127.0.0.1", "localhost"], "server.baseUrlPath": ""}.get
    )
    assert ask(path, host="evil.example:8501")[0] == 421
    assert ask(path, host="127.0.0.1@evil.example")[0] == 421
    assert ask(path)[0] != 421
    assert ask("/_stcore/stream", kind="websocket", host="evil.example")[0] == 403


@pytest.mark.parametrize("path", ADDRESSES)
def test_without_a_password_nothing_is_asked_for(home: Path, path: str) -> None:
    assert ask(path)[0] in (200, 404)


@pytest.mark.parametrize("cookie", ["", "x", "9999999999.a.b", "9999999999..", "..", "٣.a.b"])
@pytest.mark.parametrize("path", ADDRESSES)
def test_nothing_is_answered_to_who_has_not_said_the_password(workshop: str, path: str, cookie: str) -> None:
    assert ask(path, cookie=f"emberscope_8501={cookie}".encode().decode("latin-1"))[0] == 401
    assert ask(path, "POST")[0] == 401
    assert ask("/_stcore/stream", kind="websocket")[0] == 403


def test_who_says_the_password_comes_to_where_they_wanted_in_their_workspace(workshop: str) -> None:
    status, headers, _ = sign_in(workshop, "Anna Müller", "/runs?job=x&workspace=ben")
    assert (status, headers["location"]) == (303, "/runs?job=x&workspace=anna-muller")
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=lax" in headers["set-cookie"]
    cookie = headers["set-cookie"].partition(";")[0]
    assert ask("/runs", cookie=cookie)[2] == "inside"
    assert ask("/_stcore/stream", kind="websocket", cookie=cookie)[0] == 101
    changed = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
    assert ask("/runs", cookie=changed)[0] == 401


def test_a_cookie_ends_with_its_days_and_with_its_password(
    workshop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = password.new_session()
    assert password.is_session(session)
    with monkeypatch.context() as later:
        later.setattr(password.time, "time", lambda: 4_000_000_000.0)
        assert not password.is_session(session)
    monkeypatch.setenv(password.VARIABLE, "another")
    assert not password.is_session(session)


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example/",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/sign-in",
        "/\r\nX: y",
    ],
)
def test_nobody_is_sent_to_another_site(workshop: str, wanted: str) -> None:
    assert sign_in(workshop, wanted=wanted)[1]["location"] == "/?workspace=anna"


def test_the_page_shows_what_was_typed_as_text(workshop: str) -> None:
    _, headers, page = ask('/x"><b>?workspace="><script>', accept="text/html")
    assert "<script" not in page and "<b>" not in page
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "<script" not in sign_in("wrong", '"><script>')[2]
    assert "cannot name a workspace" in sign_in(workshop, "..")[2]


def test_a_form_of_another_site_or_without_end_is_refused(workshop: str) -> None:
    assert sign_in(workshop, origin="http://evil.example")[0] == 403
    assert sign_in(workshop, origin=f"http://{HOST}")[0] == 303
    assert sign_in(workshop, "a" * 20_000)[0] == 403


def test_a_password_cannot_be_tried_for_long(workshop: str) -> None:
    assert [sign_in("wrong")[0] for _ in range(7)] == [403] * 6 + [429]
    assert sign_in(workshop)[0] == 429, "not even the right one, or it could be found"
    assert sign_in(workshop, address="10.0.0.8")[0] == 303


def test_the_secret_is_its_owners_and_stays(home: Path) -> None:
    token = secret.token_of("tiles", "a")
    assert stat.S_IMODE((home / ".secret").stat().st_mode) == 0o600
    secret._secret.cache_clear()
    assert secret.token_of("tiles", "a") == token != secret.token_of("other", "a")
    (home / ".secret").write_bytes(b"")
    secret._secret.cache_clear()
    assert secret.token_of("tiles", "a") != token
    assert len((home / ".secret").read_bytes()) == 32 and [path.name for path in home.iterdir()] == [
        ".secret"
    ]


def test_the_app_has_the_door_before_all_else() -> None:
    assert "middleware=[Middleware(Door), " in (Path(__file__).parents[2] / "app.py").read_text(
        encoding="utf-8"
    )


def test_who_signs_out_is_asked_again_and_their_cookie_is_worth_nothing_any_more(workshop: str) -> None:
    cookie = sign_in(workshop)[1]["set-cookie"].split(";")[0]
    assert ask("/runs", cookie=cookie)[0] == 200
    assert ask("/sign-out", cookie=cookie)[2] == "inside", "a link or a picture signs nobody out"
    assert ask("/sign-out", "POST", cookie=cookie, origin="http://evil.example")[0] == 403
    assert ask("/runs", cookie=cookie)[0] == 200
    status, headers, _ = ask("/sign-out", "POST", cookie=cookie, origin=f"http://{HOST}")
    assert (status, headers["location"]) == (303, "/")
    assert "max-age=0" in headers["set-cookie"].lower()
    assert ask("/runs", cookie=cookie)[0] == 401
    assert ask("/_stcore/stream", kind="websocket", cookie=cookie)[0] == 403
    again = sign_in(workshop)[1]["set-cookie"].split(";")[0]
    assert ask("/runs", cookie=again)[0] == 200
