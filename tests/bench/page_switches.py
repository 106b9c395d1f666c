"""Figures of the pages in a browser: seconds from a click in the navigation to a complete page.

python tests/bench/page_switches.py --json

The app is started with an empty workspace, a small simulated season, an extraction and a training. A page is complete
once its heading stands, the server has no more to say, and every tile of its map has come and has faded in.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.imagery.simulation.season import simulate_season
from tests.bench.app import ROOT, served

PAGES = ("Explore", "Extract", "Embeddings", "Train", "Evaluate", "Apply", "Backbones", "Runs")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
CHIPS = 6
# Done once the app is idle on the page that was asked for and its map, if it has one, is whole.
COMPLETE = """name => {
  const app = document.querySelector('[data-testid="stApp"]');
  const heading = [...document.querySelectorAll('h1')].some(found => found.innerText.trim() === name);
  if (!heading || app.dataset.testScriptState !== 'notRunning' || document.querySelector('[data-testid="stSkeleton"]')) return false;
  const frame = document.querySelector('iframe[title^="streamlit_folium"]');
  if (!frame) return !document.querySelector('.st-key-map_stage');
  const inside = frame.contentDocument?.querySelector('.leaflet-container');
  const tiles = [...(inside?.querySelectorAll('img.leaflet-tile') ?? [])];
  return tiles.length > 0 && tiles.every(tile =>
    tile.classList.contains('leaflet-tile-loaded') && frame.contentWindow.getComputedStyle(tile).opacity === '1');
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=4, help="round trips over all pages; the first warms up")
    parser.add_argument("--address", help="of an app that runs already, instead of one of our own")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if chosen.address:
        found = switches(chosen.address, chosen.turns)
    else:
        with tempfile.TemporaryDirectory() as room:
            fill(Path(room))
            with served(Path(room)) as (address, _):
                found = switches(address, chosen.turns)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>24}  {value:.2f}")


def switches(address: str, turns: int) -> dict[str, float]:
    """Median seconds of a switch to each page, and the longest of these medians."""
    seconds: dict[str, list[float]] = {name: [] for name in PAGES}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector('[data-testid="stTopNavLink"]', timeout=60_000)
        for turn in range(turns):
            for name in PAGES:
                took = switch(page, name)
                if turn:
                    seconds[name].append(took)
        browser.close()
    medians = {f"{name.lower()}_s": statistics.median(taken) for name, taken in seconds.items()}
    return {**medians, "slowest_page_s": max(medians.values())}


def switch(page: Page, name: str) -> float:
    """Seconds from the click to the complete page."""
    link = page.get_by_test_id("stTopNavLink").filter(has_text=name)
    begun = time.perf_counter()
    link.click()
    page.wait_for_function(COMPLETE, arg=name, polling=20, timeout=60_000)
    return time.perf_counter() - begun


def fill(home: Path) -> None:
    """A season of few places, its raw pixels as a store, and a linear decoder of three epochs."""
    simulate_season(home / "data" / "simulated-0", seed=0, chips=CHIPS)
    extract = {"kind": "extract", "device": "cpu", "backbone": {"name": "raw"},
               "scene": {"source": "simulated", "seed": 0, "date": "post"}}  # fmt: skip
    train = {
        "kind": "train",
        "device": "cpu",
        "epochs": 3,
        "head": {"name": "linear"},
        "store": str(home / "run-extract" / "store"),
    }
    for config in (extract, train):
        made(config, home)


def made(config: dict[str, Any], home: Path) -> None:
    """Run one job to its end, as the command line does."""
    path = home / f"{config['kind']}.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    command = [
        sys.executable,
        "-m",
        "engine",
        config["kind"],
        str(path),
        "--out",
        str(home / f"run-{config['kind']}"),
    ]
    subprocess.run(command, cwd=ROOT, env=environment(home), check=True, capture_output=True)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "EMBERSCOPE_HOME": str(home), "HF_HUB_OFFLINE": "1"}


if __name__ == "__main__":
    main()
