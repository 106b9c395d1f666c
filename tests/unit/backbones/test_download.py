"""Downloads against a real HTTP server on loopback that can be told to misbehave."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.weights import download
from engine.backbones.weights import locate as weights
from engine.backbones.weights.download import Wanted
from engine.errors import DiskFull, WeightsError

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Serves CONTENT at every path. `cut_after`: bytes sent before the connection breaks, request by request."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.etag = '"first"'
        self.linked_etag = ""
        self.status = 0
        self.knows_ranges = True
        self.cut_after: list[int] = []
        self.requests: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.requests.append((handler.path, asked))
        if self.status:
            handler.send_response(self.status)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        start = 0
        is_same = handler.headers.get("If-Range") in (None, self.etag)
        if asked and self.knows_ranges and is_same:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(self.content) - start))
        handler.send_header("ETag", self.etag)
        if self.linked_etag:
            handler.send_header("X-Linked-Etag", self.linked_etag)
        handler.end_headers()
        stop = self.cut_after.pop(0) if self.cut_after else len(self.content)
        handler.wfile.write(self.content[start : start + stop])
        if start + stop < len(self.content):
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True


@pytest.fixture()
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


def wanted(server: Server, sha256: str | None = None) -> Wanted:
    return Wanted(
        f"{server.url}/org/model/resolve/main/w.bin", sha256, "model wants w.bin", "Get it from the page."
    )


def test_a_whole_file_arrives_with_its_hash_recorded_and_nothing_left_over(
    server: Server, tmp_path: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "org" / "w.bin"
    assert download.fetch(wanted(server), target, lambda done, total: seen.append((done, total))) == SHA256
    assert target.read_bytes() == CONTENT
    assert (tmp_path / "org" / "w.bin.sha256").read_text().split() == [SHA256, "w.bin"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert sorted(path.name for path in target.parent.iterdir()) == ["w.bin", "w.bin.sha256"]


def test_a_cut_connection_is_resumed_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.cut_after = [300_000, 200_000]
    target = tmp_path / "w.bin"
    download.fetch(wanted(server, SHA256), target)
    assert target.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [None, "bytes=300000-", "bytes=500000-"]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000] * 5
    target = tmp_path / "w.bin"
    with pytest.raises(WeightsError, match=r"the connection broke 5 times, with 0\.5 MB here"):
        download.fetch(wanted(server, SHA256), target)
    assert not target.exists()
    server.requests.clear()
    download.fetch(wanted(server, SHA256), target)
    assert [asked for _, asked in server.requests] == ["bytes=500000-"]
    assert target.read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(server: Server, tmp_path: Path) -> None:
    server.cut_after = [100_000] * 5
    target = tmp_path / "w.bin"
    with pytest.raises(WeightsError):
        download.fetch(wanted(server), target)
    server.content, server.etag = CONTENT[::-1], '"second"'
    download.fetch(wanted(server), target)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges_sends_it_all_again(server: Server, tmp_path: Path) -> None:
    server.cut_after = [400_000]
    server.knows_ranges = False
    target = tmp_path / "w.bin"
    download.fetch(wanted(server, SHA256), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("by", ["card", "header"])
def test_a_wrong_hash_is_refused_and_the_file_never_gets_its_name(
    server: Server, tmp_path: Path, by: str
) -> None:
    server.linked_etag = f'"{"0" * 64}"' if by == "header" else ""
    with pytest.raises(WeightsError, match=f"sha256 {'0' * 64}.*has {SHA256}.*deleted.*Get it from the page"):
        download.fetch(wanted(server, "0" * 64 if by == "card" else None), tmp_path / "w.bin")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "words"), [(404, "answered 404"), (401, "accept the licence"), (403, "HF_TOKEN")]
)
def test_a_refusal_says_what_the_server_said(server: Server, tmp_path: Path, status: int, words: str) -> None:
    server.status = status
    with pytest.raises(WeightsError, match=words):
        download.fetch(wanted(server), tmp_path / "w.bin")


def test_a_folder_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WeightsError, match="cannot be written"):
        download.fetch(wanted(server), tmp_path / "file" / "w.bin")


def test_a_full_disk_is_called_so(server: Server) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(OSError, match="No space"), full.open("wb", buffering=0) as file:
        file.write(b"x")
    with (
        pytest.raises(DiskFull, match=r"disk of .* is full.*goes on there"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(
            "engine.backbones.weights.download._continue", lambda *_: full.open("wb", buffering=0).write(b"x")
        )
        download.fetch(wanted(server), Path("/dev/shm/never/w.bin").parent.parent / "w.bin")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://weights.invalid", "http://10.255.255.1"])
def test_offline_is_said_within_a_second_with_file_page_size_and_place(
    hub_spec: BackboneSpec, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", url)
    started = time.perf_counter()
    with pytest.raises(WeightsError) as caught:
        weights.obtain(hub_spec)
    assert time.perf_counter() - started < 1.0
    place = tmp_path / "weights" / "org" / "model" / "w.safetensors"
    for part in ("w.safetensors", "https://hub.example/org/model", "12 MB", str(place)):
        assert part in str(caught.value)


def test_the_hubs_offline_switch_is_honoured(
    hub_spec: BackboneSpec, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE forbids"):
        weights.obtain(hub_spec)
    assert server.requests == []


def test_fetched_weights_are_found_again_without_a_request(
    hub_spec: BackboneSpec, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    path = weights.obtain(hub_spec)
    assert server.requests == [("/org/model/resolve/main/w.safetensors", None)]
    assert weights.obtain(hub_spec) == path == weights.present(hub_spec)
    assert len(server.requests) == 1
    assert weights.check(hub_spec, path) == SHA256
