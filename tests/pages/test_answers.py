"""How fast answers leave the server: connections that do not wait, and Streamlit's own files from memory."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pages.ui.door import kept_answers, no_delay
from pages.ui.door.kept_answers import KeptAnswers

LASTING = [(b"content-type", b"text/javascript"), (b"cache-control", b"public, immutable, max-age=31536000")]
Head = list[tuple[bytes, bytes]]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET) as found:  # without its protocol, as Streamlit makes it
        found.bind(("127.0.0.1", 0))
        found.listen()
        yield found


def test_a_connection_of_the_server_does_not_wait_for_acknowledgements(listening: socket.socket) -> None:
    assert no_delay.answer_at_once() >= 1
    with socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class Server:
    """An app that counts how often it is asked, behind the kept answers."""

    def __init__(self, headers: Head, status: int = 200) -> None:
        self.headers, self.status, self.asked = headers, status, 0
        self.door = KeptAnswers(self.app)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"first ", "more_body": True})
        await send({"type": "http.response.body", "body": b"second"})

    def ask(
        self, path: str = "/static/js/index.js", method: str = "GET", headers: Head | None = None
    ) -> tuple[int, Head, bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": headers or []}
        asyncio.run(self.door(scope, None, send))  # type: ignore[arg-type]
        return sent[0]["status"], sent[0]["headers"], b"".join(part["body"] for part in sent[1:])


def test_a_file_that_never_changes_is_read_once_and_answered_alike() -> None:
    server = Server(LASTING)
    answers = [server.ask() for _ in range(3)]
    assert answers == [(200, LASTING, b"first second")] * 3
    assert server.asked == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"cache-control", b"no-cache")], 200),
        ([], 200),
        (LASTING, 206),
        (LASTING, 404),
        ([*LASTING, (b"set-cookie", b"session=1")], 200),
        ([*LASTING, (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")], 200),
    ],
)
def test_an_answer_that_may_differ_for_another_visitor_is_not_kept(headers: Head, status: int) -> None:
    server = Server(headers, status)
    server.ask()
    server.ask()
    assert server.asked == 2


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/tiles/abc/1/1/1.png", "GET", []),
        ("/", "GET", []),
        ("/static/js/index.js", "HEAD", []),
        ("/static/js/index.js", "POST", []),
        ("/static/js/index.js", "GET", [(b"range", b"bytes=0-3")]),
        ("/static/js/index.js", "GET", [(b"if-none-match", b'"abc"')]),
    ],
)
def test_other_requests_always_reach_the_app(path: str, method: str, headers: Head) -> None:
    server = Server(LASTING)
    server.ask()
    server.ask(path, method, headers)
    server.ask(path, method, headers)
    assert server.asked == 3


def test_what_is_kept_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "_MOST_BYTES", 3 * len(b"first second"))
    server = Server(LASTING)
    for spelling in range(6):
        server.ask(f"/static/{'./' * spelling}index.js")
    assert len(server.door._kept) == 3
