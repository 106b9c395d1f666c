"""Figures of the app: twenty people come at once, each to a workspace of their own, and look at a map.

python tests/bench/app.py --json

The clients run on the same machine as the server, so what is measured is an upper bound.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.imagery.geobox import outline_lonlat
from engine.imagery.scene import Scene
from engine.imagery.simulation.season import simulate_season
from engine.imagery.sources import SimulatedScene
from tests.bench.clients.session import Seen, visit

ROOT = Path(__file__).parents[2]


OPENING_ZOOM, CLOSER_ZOOM = 11, 14  # a chip of the season is half a window wide, and then much larger
A_MOVE = 6  # tiles that a move of the map brings in


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument(
        "--stay", type=float, default=15.0, help="seconds that each stays after its page is whole"
    )
    parser.add_argument("--page", default="explore")
    parser.add_argument(
        "--home", type=Path, help="a workspace that is there already (default: a temporary one)"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        found = measured(chosen.home or Path(room), chosen.sessions, chosen.page, chosen.stay)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>24}  {value:.4g}")


def measured(home: Path, sessions: int, page: str, stay_s: float) -> dict[str, Any]:
    """Seconds until pages and tiles come, and the server's memory."""
    if not (home / "data" / "simulated-0").is_dir():
        simulate_season(home / "data" / "simulated-0", seed=0)
    scenes = SimulatedScene(source="simulated", seed=0).find(home)
    with served(home) as (address, server):
        asyncio.run(all_at_once(address, page, scenes, 1, 2.0))  # the first visitor warms what all others use
        started_mb, before_s = server.memory_info().rss / 1e6, processor_s(server)
        seen = asyncio.run(all_at_once(address, page, scenes, sessions, stay_s))
        peak_mb, spent_s = server.memory_info().rss / 1e6, processor_s(server) - before_s
    opening = [seconds for one in seen for seconds in one.opening_s]
    tiles = [seconds for one in seen for seconds in one.tiles_s]
    return {
        "sessions": sessions,
        "content_s_worst": max(one.content_s for one in seen),
        "content_s_median": float(np.median([one.content_s for one in seen])),
        "whole_s_worst": max(one.whole_s for one in seen),
        "opening_tiles": len(opening),
        "opening_tile_ms_p95": 1000 * float(np.percentile(opening, 95)),
        "tiles": len(tiles),
        "tiles_empty": sum(one.empty for one in seen),
        "tile_ms_median": 1000 * float(np.median(tiles)),
        "tile_ms_p95": 1000 * float(np.percentile(tiles, 95)),
        "server_mb_one": started_mb,
        "server_mb": peak_mb,
        "server_processor_s": spent_s,
    }


def processor_s(process: psutil.Process) -> float:
    """Processor time so far: on a machine that does other work too it tells more than seconds on the wall."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def all_at_once(
    address: str, page: str, scenes: Sequence[Scene], count: int, stay_s: float
) -> list[Seen]:
    """So many people, each looking at another scene."""
    # A thread for each who loads files or looks around; asyncio's own pool has six on two cores, so that most would wait.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2 * count))
    visits = (
        visit(
            address,
            page,
            f"workspace=person-{index}&place=season",
            views_of(scenes[index % len(scenes)]),
            stay_s,
        )
        for index in range(count)
    )
    return list(await asyncio.gather(*visits))


def views_of(scene: Scene) -> list[list[tuple[int, int, int]]]:
    """The tiles of a map that opens on a scene, and then those of closer looks, a few at a time."""
    closer = tiles_over(scene, CLOSER_ZOOM)
    return [
        tiles_over(scene, OPENING_ZOOM),
        *(closer[start : start + A_MOVE] for start in range(0, len(closer), A_MOVE)),
    ]


def tiles_over(scene: Scene, zoom: int) -> list[tuple[int, int, int]]:
    """The Web Mercator tiles over a scene."""
    west, south, east, north = outline_lonlat(scene.grid).bounds
    left, top = tile_at(west, north, zoom)
    right, bottom = tile_at(east, south, zoom)
    return [(zoom, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]


def tile_at(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Column and row of the tile that a place lies in."""
    side = 2**zoom
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
    return int((lon + 180) / 360 * side), int(y * side)


@contextmanager
def served(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The app on a free port, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (home / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        environment = {**os.environ, "EMBERSCOPE_HOME": str(home)}
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(address)
        wait_until_quiet(psutil.Process(server.pid))
        yield address, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(30)


def wait_until_healthy(address: str, within_s: float = 120.0) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} did not come up")


def wait_until_quiet(process: psutil.Process, within_s: float = 120.0) -> None:
    """Wait until what is imported in the background is there: the process hardly works for a second."""
    end, before = time.monotonic() + within_s, -1.0
    while time.monotonic() < end and processor_s(process) - before > 0.05:
        before = processor_s(process)
        time.sleep(1.0)


if __name__ == "__main__":
    main()
