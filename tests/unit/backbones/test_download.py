"""Downloads from a real HTTP server on loopback that can be told to misbehave."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.weights import download, hub_download
from engine.backbones.weights import locate as weights
from engine.backbones.weights.download import HubFile
from engine.errors import BadInput, DiskFull, WeightsError
from tests.unit.backbones.hub_server import CONTENT, SHA256, HubServer

MIB = 2**20
NAME = "w.bin of org/model (12 MB), the weights of somebody,"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    running = HubServer()
    monkeypatch.setenv("HF_ENDPOINT", running.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf-home"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield running
    running.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "org" / "model"


def wanted(sha256: str | None = None) -> HubFile:
    return HubFile("org/model", "w.bin", sha256, NAME, "Get it from the page.")


def left_in(folder: Path) -> list[str]:
    """Names of what lies in a folder, without the empty file of the lock."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_file_arrives_complete_with_its_hash_recorded_and_nothing_left_over(
    server: HubServer, folder: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    assert download.fetch(wanted(), folder / "w.bin", lambda *step: seen.append(step)) == SHA256
    assert (folder / "w.bin").read_bytes() == CONTENT
    assert (folder / "w.bin.sha256").read_text().split() == [SHA256, "w.bin"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert left_in(folder) == ["w.bin", "w.bin.sha256"]


def test_three_processes_that_ask_at_once_leave_one_complete_file_fetched_once(
    server: HubServer, tmp_path: Path, hub_spec: BackboneSpec
) -> None:
    server.pause_s = 0.5
    program = (
        "import sys; from pathlib import Path; from engine.backbones.weights.download import HubFile, fetch; "
        "sys.stdout.write(fetch(HubFile('org/model', 'w.bin', None, 'w', 'a'), Path(sys.argv[1])))"
    )
    target = tmp_path / "shared" / "w.bin"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(target)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for _ in range(3)
    ]
    assert [process.communicate(timeout=60)[0] for process in processes] == [SHA256] * 3
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None]
    assert left_in(target.parent) == ["w.bin", "w.bin.sha256"]


def test_a_server_that_takes_seconds_to_answer_is_waited_for(server: HubServer, folder: Path) -> None:
    server.delay_s = 3.0
    assert download.fetch(wanted(), folder / "w.bin") == SHA256


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_cut_connection_is_taken_up_again(server: HubServer, folder: Path, knows_ranges: bool) -> None:
    server.cut_after, server.knows_ranges = [MIB + 1000], knows_ranges
    assert download.fetch(wanted(SHA256), folder / "w.bin") == SHA256
    assert (folder / "w.bin").read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={MIB}-"]


@pytest.mark.parametrize("total", [1000, None])
def test_a_client_that_begins_anew_each_time_is_given_up_and_fills_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int | None
) -> None:
    tries: list[int] = []

    def begin_anew(_: str, file: BinaryIO, *, resume_size: int, **__: object) -> None:
        tries.append(resume_size)
        file.write(bytes(900))
        file.flush()
        raise OSError("the connection ended early")

    monkeypatch.setattr(hub_download, "http_get", begin_anew)
    monkeypatch.setattr(hub_download, "_ATTEMPTS", 2)
    with pytest.raises(OSError, match="ended early"):
        hub_download.receive("http://hub.example/w.bin", tmp_path / "part", total)
    assert len(tries) <= 5
    assert hub_download.size(tmp_path / "part") <= 1000


class Enough(Exception):
    """Ends a download from outside."""


def test_a_download_that_is_ended_stops_at_once_and_the_next_goes_on_where_it_stopped(
    server: HubServer, folder: Path
) -> None:
    server.pause_s = 2.0

    def end(done: int, _: int | None) -> None:
        if done:
            raise Enough

    with pytest.raises(Enough):
        download.fetch(wanted(SHA256), folder / "w.bin", end)
    (part,) = left_in(folder)
    have = (folder / part).stat().st_size
    assert part.endswith(".part") and MIB <= have < len(CONTENT)
    server.pause_s, server.requests[:] = 0.0, []
    download.fetch(wanted(SHA256), folder / "w.bin")
    assert server.ranges == [f"bytes={have}-"]
    assert (folder / "w.bin").read_bytes() == CONTENT


def test_a_download_that_waits_for_another_can_be_ended(server: HubServer, folder: Path) -> None:
    server.delay_s = 30.0
    started = time.monotonic()

    def end(*_: object) -> None:
        raise Enough

    with pytest.raises(Enough):
        download.fetch(wanted(), folder / "w.bin", end)
    assert time.monotonic() - started < 10


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(server: HubServer, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "w.bin.older.part").write_bytes(b"of another version")
    (folder / "w.bin.part").write_bytes(b"as earlier releases named it")
    download.fetch(wanted(), folder / "w.bin")
    assert server.ranges == [None]
    assert left_in(folder) == ["w.bin", "w.bin.sha256"]


@pytest.mark.parametrize("by", ["card", "hub"])
def test_a_wrong_hash_is_refused_and_the_file_never_gets_its_name(
    server: HubServer, folder: Path, by: str
) -> None:
    server.linked_etag = f'"{"0" * 64}"' if by == "hub" else ""
    with pytest.raises(
        WeightsError, match=rf"^w\.bin of org/model .*sha256 \({SHA256}\).*deleted.*Get it from the page"
    ):
        download.fetch(wanted("0" * 64 if by == "card" else None), folder / "w.bin")
    assert left_in(folder) == []


@pytest.mark.parametrize(
    ("status", "words"), [(404, "answered 404"), (401, "accept it on the page"), (403, "HF_TOKEN")]
)
def test_a_refusal_says_what_the_server_said(
    server: HubServer, folder: Path, status: int, words: str
) -> None:
    server.status = status
    with pytest.raises(WeightsError, match=rf"^w\.bin of org/model .*{words}.*Get it from the page"):
        download.fetch(wanted(), folder / "w.bin")


def test_the_token_of_the_environment_is_sent(
    server: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    download.fetch(wanted(), folder / "w.bin")
    assert {sent for _, _, sent in server.requests} == {"Bearer hf_secret"}


def test_a_folder_that_cannot_be_written_is_named(server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match=r"file is a file, and a folder is needed there"):
        download.fetch(wanted(), tmp_path / "file" / "w.bin")


def test_a_full_disk_is_called_so_and_nothing_else_is(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    with pytest.raises(OSError, match="No space") as caught, full.open("wb", buffering=0) as file:
        file.write(b"x")
    kind, reason = hub_download.failure(caught.value)
    assert (kind, reason) == ("write", str(errno.ENOSPC))
    with pytest.raises(DiskFull, match=r"^w\.bin could not be written: the disk of .* is full"):
        download._raise(wanted(), tmp_path / "w.bin", kind, reason)
    assert hub_download.failure(ConnectionResetError(errno.ECONNRESET, "reset"))[0] == "network"
    assert hub_download.failure(OSError("the connection ended early"))[0] == "network"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://weights.invalid"])
def test_an_absent_network_is_said_at_once_with_file_page_size_and_place(
    hub_spec: BackboneSpec, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", url)
    started = time.perf_counter()
    with pytest.raises(WeightsError) as caught:
        weights.obtain(hub_spec)
    assert time.perf_counter() - started < 15
    place = tmp_path / "weights" / "org" / "model" / "w.safetensors"
    for part in (
        "w.safetensors",
        "https://hub.example/org/model",
        "12 MB",
        url.partition("//")[2],
        str(place),
    ):
        assert part in str(caught.value)


def test_the_hubs_offline_switch_is_honoured(
    hub_spec: BackboneSpec, server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE forbids"):
        weights.obtain(hub_spec)
    assert server.requests == []


def test_fetched_weights_are_found_again_without_a_request(hub_spec: BackboneSpec, server: HubServer) -> None:
    path = weights.obtain(hub_spec)
    asked = len(server.requests)
    assert weights.obtain(hub_spec) == path == weights.present(hub_spec)
    assert len(server.requests) == asked
    assert weights.check(hub_spec, path) == SHA256


def test_a_download_whose_job_was_killed_ends_by_itself(server: HubServer, folder: Path) -> None:
    server.pause_s = 1.0
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "engine.backbones.weights.hub_download"]
    process = subprocess.Popen(
        [*command, "org/model", "w.bin", str(folder / "w.bin")],
        stdout=writing,
        cwd=Path(__file__).parents[3],
    )
    os.close(writing)
    assert os.read(reading, 10).startswith(b'{"done"')
    os.close(reading)
    assert process.wait(timeout=10) == 1


def test_nothing_is_told_after_the_last_word_of_a_download(capsys: pytest.CaptureFixture[str]) -> None:
    progress = hub_download.Progress()
    progress.end()
    capsys.readouterr()
    progress.tell()
    assert capsys.readouterr().out == ""
