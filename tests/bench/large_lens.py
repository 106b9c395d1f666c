"""Figures of the lens of a large store: what a page waits for, what a browser gets, and a zoom to single patches.

python tests/bench/large_lens.py --patches 5000000 --dim 64 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.lens.kinds import components_lens
from engine.views.lens.overview import pieces_path, read_pieces
from engine.views.lens.reduction import Reduction, reduction_of
from tests.bench import lens
from tests.bench.store import SIDE, make_store, timed

ZOOMS = (7, 8, 9, 11)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=5_000_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--room", type=Path, help="folder for the store (default: a temporary one)")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.room) as room:
        found = measured(Path(room), chosen.patches, chosen.dim)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>24}  {value:.4g}")


def measured(room: Path, patches: int, dim: int) -> dict[str, Any]:
    """Seconds, megabytes and milliseconds."""
    store = make_store(room / "run", -(-patches // SIDE**2), dim, "float16")
    made_s, reduction = timed(lambda: reduction_of(view_of(store, window=1)))
    again_s, _ = timed(lambda: reduction_of(view_of(EmbeddingStore.open(store.folder), window=1)))
    found = {
        "patches": store.rows,
        "step": reduction.header.step,
        "first_opening_s": made_s,
        "later_opening_s": again_s,
        "overview_mb": reduction.path.stat().st_size / 1e6,
        "pieces_mb": pieces_path(reduction.path).stat().st_size / 1e6,
    }
    return found | in_browser(room, reduction, store.tiles[len(store.tiles) // 2 + 50])


def in_browser(room: Path, reduction: Reduction, middle: StoredTile) -> dict[str, Any]:
    """A map of 1000 x 700 that is zoomed in on a tile."""
    (room / "bench.bin").symlink_to(reduction.path)
    (room / "request.json").write_text(json.dumps(request(reduction)))
    scripts = "\n".join(f'<script src="/map/{name}"></script>' for name in lens.SCRIPTS)
    (room / "index.html").write_text(lens.PAGE % scripts)
    answers: list[int] = []

    def piece(name: str) -> bytes:
        runs = [tuple(map(int, run.split("-"))) for run in name.split(",")]
        content = read_pieces(reduction.path, [(first, count) for first, count in runs])
        answers.append(len(content))
        return content

    with lens.served(room, piece) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.on("pageerror", lambda error: print(error, file=sys.stderr))
        began = time.perf_counter()
        page.goto(address)
        page.wait_for_function("() => window.loaded && moves.length > 0", timeout=60_000)
        found: dict[str, Any] = {"overview_seen_s": time.perf_counter() - began}
        page.evaluate(
            "() => Emberscope.lenses(map).bench.on('lensdrawn', (event) => { window.last = event; })"
        )
        for zoom in ZOOMS:
            found |= zoomed(page, zoom, middle, answers)
        browser.close()
    return found


def zoomed(page: Page, zoom: int, middle: StoredTile, answers: list[int]) -> dict[str, Any]:
    """From the look at a place to the picture with all that it will have, and the redraws there."""
    from engine.imagery.geobox import to_lonlat

    before = sum(answers)
    lon, lat = to_lonlat(middle.crs).transform(*(middle.patch_transform @ (SIDE / 2, SIDE / 2)))
    page.evaluate("() => { window.last = null; }")
    began = time.perf_counter()
    page.evaluate(f"() => map.setView([{lat}, {lon}], {zoom}, {{ animate: false }})")
    page.wait_for_function("() => window.last && !window.last.resolution.isComing", timeout=60_000)
    seconds = time.perf_counter() - began
    seen = page.evaluate("() => window.last.resolution")
    redraws = lens.pointed(page)[0]
    return {
        f"zoom_{zoom}_is_fine": int(seen["isFine"]),
        f"zoom_{zoom}_is_coarse": int(seen["isCoarse"]),
        f"zoom_{zoom}_s": seconds,
        f"zoom_{zoom}_mb": (sum(answers) - before) / 1e6,
        f"zoom_{zoom}_redraw_ms": float(np.median(redraws)),
    }


def request(reduction: Reduction) -> dict[str, Any]:
    """Similarity to the patch below the pointer, over the colours of three components."""
    idle = components_lens(reduction.basis, (0, 1, 2)).reduced(reduction.basis).to_json()
    asked = lens.request(is_plain=False)
    zero = [0.0] * len(reduction.basis.components)
    return {**asked, "lens": {**asked["lens"], "rows": [zero], "idle": idle}}


if __name__ == "__main__":
    main()
