"""A server of files on loopback that gives parts of them, with the faults that a test asks for, and counts what it sent."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Fault = Callable[["Handler"], bool]


@dataclass
class RangeServer:
    """A running server.

    Attributes:
        folder: its files.
        sent: (path, first byte, bytes) of each answer with content of a file.
        fault: is asked before each request is answered; True when it has answered itself.
        latency_s: waited before each answer.
        pages: path -> JSON, given beside the files.
    """

    folder: Path
    address: str = ""
    sent: list[tuple[str, int, int]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    fault: Fault | None = None
    latency_s: float = 0.0
    pages: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://")

    @property
    def sent_bytes(self) -> int:
        return sum(size for _, _, size in self.sent)


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    made: RangeServer
    body: bytes
    wbufsize = 1 << 16

    def do_GET(self) -> None:
        made, path = self.made, self.path.partition("?")[0]
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        made.asked.append((self.command, self.path, dict(self.headers.items())))
        if made.latency_s:
            time.sleep(made.latency_s)
        if made.fault is not None and made.fault(self):
            return
        if path in made.pages:
            page = made.pages[path]
            self.answer(200, json.dumps(page(self) if callable(page) else page).encode())
            return
        file = made.folder / path.lstrip("/")
        if not file.is_file():
            self.answer(404, b"")
            return
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not found:
            content = file.read_bytes()
            made.sent.append((path, 0, len(content)))
            self.answer(200, content)
            return
        size = file.stat().st_size
        first, last = int(found[1]), min(int(found[2]), size - 1)
        made.sent.append((path, first, last + 1 - first))
        with file.open("rb") as opened:
            content = os.pread(opened.fileno(), last + 1 - first, first)
        self.answer(206, content, {"Content-Range": f"bytes {first}-{last}/{size}"})

    do_POST = do_GET  # noqa: N815 - named by http.server

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        with suppress(ConnectionError):  # a client may have heard enough
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests count requests themselves."""


@contextmanager
def range_server(folder: Path) -> Iterator[RangeServer]:
    """A server of a folder on a free port of loopback."""
    made = RangeServer(folder)
    handler = type("OneHandler", (Handler,), {"made": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
