"""Weights fetched before they are needed, from a real server on loopback: by command and as a job that is cancelled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.backbones import cards
from engine.backbones.weights import locate as weights
from engine.errors import BackboneError, WeightsError
from engine.extraction.weights.fetching import fetch_backbones, files_of
from engine.jobs.configuration.config import FetchConfig
from engine.jobs.events import FetchDone, Noticed
from engine.jobs.job import submit
from tests.unit.backbones.hub_server import CONTENT, SHA256, HubServer

NAME = "prithvi_eo_v2_tiny_tl"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    running = HubServer()
    monkeypatch.setenv("HF_ENDPOINT", running.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf-home"))
    monkeypatch.setenv("EMBERSCOPE_WEIGHTS", str(tmp_path / "weights"))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield running
    running.close()


def test_the_command_fetches_by_name_once_and_lists_what_is_here(
    server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", NAME, "raw"]) == 0
    path = weights.present(cards.card(NAME))
    assert path is not None and path.read_bytes() == CONTENT
    assert path.with_name(path.name + ".sha256").read_text().startswith(SHA256)
    asked = len(server.requests)
    assert main(["fetch", NAME]) == 0
    assert len(server.requests) == asked
    assert "is here already" in capsys.readouterr().err
    assert main(["fetch", "--list", NAME, "galileo_base"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [("not here" in line, "Apache-2.0" in line, "huggingface.co" in line) for line in listed] == [
        (False, True, True), (True, False, True),
    ]  # fmt: skip


def test_what_cannot_be_had_is_named_and_the_others_come_all_the_same(server: HubServer) -> None:
    assert cards.card("galileo_nano").weights.sha256  # another file than the server's
    events = fetch_backbones(("galileo_nano", NAME))
    told: list[str] = []
    with pytest.raises(WeightsError, match="The weights of galileo_nano could not be had"):
        told += [event.message for event in events if isinstance(event, Noticed)]
    assert weights.present(cards.card(NAME)) is not None
    assert weights.present(cards.card("galileo_nano")) is None


def test_an_unknown_name_is_refused_before_anything_is_fetched(server: HubServer) -> None:
    with pytest.raises(BackboneError, match="prithvi_eo_v2_300"):
        list(fetch_backbones((NAME, "prithvi_eo_v2_30")))
    assert server.requests == []


def test_a_backbone_brings_the_checkpoints_of_networks_that_it_reads_through() -> None:
    assert [spec.name for spec in files_of(cards.card(NAME))] == [NAME]


def test_a_download_as_a_job_is_cancelled_and_goes_on_where_it_stopped(server: HubServer, home: Path) -> None:
    server.pause_s = 1.0
    job = submit(FetchConfig(names=(NAME,)), home)
    part = weights.download_folder()
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(path.stat().st_size for path in part.rglob("*.part")):
        time.sleep(0.05)
    job.cancel(wait_s=20)
    assert job.state == "cancelled"
    server.pause_s = 0.0
    job.resume()
    while time.monotonic() < until and job.state in ("queued", "running"):
        time.sleep(0.1)
    assert job.state == "finished", job.log_tail()
    assert job.summary is not None and len(job.summary["files"]) == 1
    assert server.ranges[-1] is not None and server.ranges[-1].startswith("bytes=")
    path = weights.present(cards.card(NAME))
    assert path is not None and path.read_bytes() == CONTENT


def test_events_of_a_download_end_with_what_came(server: HubServer) -> None:
    last = list(fetch_backbones((NAME,)))[-1]
    assert isinstance(last, FetchDone)
    assert [Path(file).name for file in last.files] == ["Prithvi_EO_V2_tiny_TL.pt"]
