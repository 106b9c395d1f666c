"""The real app on a port of its own, a small fire season, and one Chromium for all journeys."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, sync_playwright

from engine.__main__ import main
from engine.errors import JobError
from engine.imagery.simulation.season import simulate_season
from engine.jobs.job import list_jobs
from pages.ui.look.errors import UNFORESEEN
from tests.journeys.visitor import Visitor, visit

ROOT = Path(__file__).resolve().parents[2]
# Four to learn from, one to choose by, one to judge by; for pictures half of the season, or the decoder looks poor.
_CHIPS = 24 if os.environ.get("EMBERSCOPE_SCREENSHOTS") else 6
_UP_WITHIN_S = 120
_CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


@dataclass(frozen=True)
class App:
    """A running app and its workspace."""

    address: str
    home: Path


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app as a person starts it, with a workspace that ends with the session."""
    home = tmp_path_factory.mktemp("workspace")
    simulate_season(home / "data" / "simulated-0", seed=0, chips=_CHIPS)
    with served(home, free_port()) as found:
        yield found
    end_jobs(home)


@contextlib.contextmanager
def served(home: Path, port: int, **more: str) -> Iterator[App]:
    """The app on a port until the block ends; its jobs outlive it.

    Args:
        more: variables of its environment.
    """
    log = home / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {
        **os.environ,
        "EMBERSCOPE_HOME": str(home),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "2",
        **more,
    }
    with log.open("ab") as written:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_healthy(server, port, log)
        yield App(f"http://127.0.0.1:{port}", home)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def coast(app: App) -> str:
    """The run folder's name of an extraction: random convolutional features of a piece of the sample scene."""
    config = {
        "kind": "extract", "scene": {"source": "file", "path": "assets/samples/virginia.tif"}, "backbone": {"name": "rcf"},
        "region": {"bounds_lonlat": [-75.68, 37.64, -75.61, 37.69]}, "device": "cpu",
    }  # fmt: skip
    return done_by_command(app.home, config, "run-lens")


@pytest.fixture(scope="session")
def season_runs(app: App) -> dict[str, str]:
    """Finished runs on the season by their kind: raw pixels, what learned from them, and a map that it made."""
    done = {job.config.kind: job.id for job in list_jobs(app.home) if job.state == "finished"}
    store = {"kind": "extract", "scene": {"source": "simulated", "seed": 0, "date": "post"},
             "backbone": {"name": "raw"}, "device": "cpu"}  # fmt: skip
    made = {"extract": _made(app.home, store)}
    train = {
        "kind": "train",
        "store": str(app.home / made["extract"] / "store"),
        "epochs": 2,
        "device": "cpu",
    }
    made["train"] = done.get("train") or _made(app.home, train)
    apply = {"kind": "apply", "decoder": str(app.home / made["train"]), "ground": [store], "device": "cpu"}
    return made | {"apply": done.get("apply") or _made(app.home, apply)}


def _made(home: Path, config: dict[str, Any]) -> str:
    """The run folder's name of a job on the season."""
    return done_by_command(home, config, f"season-{config['kind']}")


def done_by_command(home: Path, config: dict[str, Any], name: str) -> str:
    """The run folder's name, after its job was done by the command line in this process, which has imported all by then."""
    path = home / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBERSCOPE_HOME", str(home))
        assert main([config["kind"], str(path), "--out", str(home / name)]) == 0
    return name


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, which can resolve no name."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail(
            "The journeys need Chromium and found none. `make test` installs it, or: apt-get install chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures go: EMBERSCOPE_SCREENSHOTS, else away with the test."""
    folder = Path(os.environ.get("EMBERSCOPE_SCREENSHOTS") or tmp_path / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def visitor(app: App, chromium: Browser, screenshots: Path) -> Iterator[Visitor]:
    """A person at a desk; whatever jobs they leave under way are ended, and no page may have broken meanwhile."""
    log = app.home / "server.log"
    before = log.stat().st_size
    with visit(chromium, app.address, screenshots) as someone:
        yield someone
    end_jobs(app.home)
    said = log.read_bytes()[before:].decode(errors="replace")
    assert UNFORESEEN not in said, said[-4000:]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    health = f"http://127.0.0.1:{port}/_stcore/health"
    end = time.monotonic() + _UP_WITHIN_S
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(health, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    pytest.fail(f"the app did not come up:\n{log.read_text(errors='replace')[-3000:]}")


def end_jobs(home: Path) -> None:
    """End the jobs of all workspaces."""
    for job in (job for folder in (home, *(home / "workspaces").glob("*")) for job in list_jobs(folder)):
        if job.is_alive:
            with contextlib.suppress(JobError):
                job.cancel(wait_s=60)
