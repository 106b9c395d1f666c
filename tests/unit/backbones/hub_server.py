"""A hub on loopback that serves one file at every path and can be told to misbehave."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * (3 * 4096)  # 3 MiB: the client writes a MiB at once
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class HubServer:
    """Serves `content` with the headers of the hub.

    Attributes:
        status: answered to everything, where it is not 0.
        delay_s: how long each answer takes to begin.
        pause_s: how long the server waits after each MiB.
        others: other content of paths that end so; None: there is no such file.
        cut_after: bytes sent before the connection breaks, request by request.
        requests: method, range and authorisation of each request.
    """

    def __init__(self) -> None:
        self.content, self.etag, self.linked_etag = CONTENT, '"first"', ""
        self.status, self.delay_s, self.pause_s = 0, 0.0, 0.0
        self.knows_ranges = True
        self.cut_after: list[int] = []
        self.others: dict[str, bytes | None] = {}
        self.requests: list[tuple[str, str | None, str | None]] = []
        self.paths: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                outer.answer(self)

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End the server."""
        self.http.shutdown()
        self.http.server_close()

    @property
    def ranges(self) -> list[str | None]:
        """The range of each download that was begun."""
        return [asked for method, asked, _ in self.requests if method == "GET"]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One request: its head, and its body where it is a download."""
        asked = handler.headers.get("Range")
        self.requests.append((handler.command, asked, handler.headers.get("Authorization")))
        self.paths.append(handler.path)
        time.sleep(self.delay_s)
        content = next(
            (held for end, held in self.others.items() if handler.path.endswith(end)), self.content
        )
        status = self.status or (404 if content is None else 0)
        content = content or b""
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked and self.knows_ranges else 0
        handler.send_response(status or (206 if start else 200))
        handler.send_header("Content-Length", "0" if status else str(len(content) - start))
        if start:
            last = len(content) - 1
            handler.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
        handler.send_header("ETag", self.etag)
        handler.send_header("X-Repo-Commit", "0" * 40)
        if self.linked_etag and content is self.content:
            handler.send_header("X-Linked-Etag", self.linked_etag)
        handler.end_headers()
        if handler.command == "GET" and not status:
            self._send(handler, content, start)

    def _send(self, handler: BaseHTTPRequestHandler, content: bytes, start: int) -> None:
        stop = min(start + self.cut_after.pop(0) if self.cut_after else len(content), len(content))
        try:
            for at in range(start, stop, 2**20):
                handler.wfile.write(content[at : min(at + 2**20, stop)])
                time.sleep(self.pause_s)
        except OSError:  # the client went away
            handler.close_connection = True
            return
        if stop < len(content):
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
