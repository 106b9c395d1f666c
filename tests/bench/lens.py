"""Figures of the lens in headless Chromium: a redraw of all patches, from pointer to picture, and from click to kept similarity.

python tests/bench/lens.py --json
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.store.schema import StoredTile
from engine.views.lens.lens import Lens, ramp
from engine.views.lens.placement import place
from engine.views.lens.reduction_file import Header, tile_table, write_file

ROOT = Path(__file__).parents[2]

SIDE, PATCH_M = 500, 160.0  # one tile of 500 x 500 patches, 80 km wide
MOVES = 40
PAGE = """<!doctype html><link rel="stylesheet" href="/static/vendor/leaflet.css"><link rel="stylesheet" href="/map/lens.css">
<div id="map" style="width:1000px;height:700px"></div>
<script src="/static/vendor/leaflet.js"></script>
%s
<script>
  const map = L.map("map", { center: [36.68, -74.55], zoom: 10, zoomControl: false });
  map.createPane("overlay"); map.createPane("outlines");
  const group = L.featureGroup().addTo(map);
  window.moves = [];
  fetch("/request.json").then((answer) => answer.json()).then((options) => {
    Emberscope.lens(group, options);
    const layer = Emberscope.lenses(map).bench;
    let started = 0;
    map.on("mousemove click", () => { started = performance.now(); });
    layer.on("lensdrawn", ({ ms }) => {
      const begun = started;
      requestAnimationFrame(() => moves.push({ ms, pointerMs: performance.now() - begun, hasBegun: begun > 0 }));
    });
    layer.on("lensloaded", ({ header }) => { window.loaded = header; });
  });
</script>"""
SCRIPTS = ("lens_picking.js", "lens_layer.js", "lens.js")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", action="store_true", help="without WebAssembly")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        found = measured(Path(room), chosen.plain)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:>24}  {value:.4g}")


def measured(room: Path, is_plain: bool = False) -> dict[str, Any]:
    """Medians and 95th percentiles, milliseconds."""
    patches = write_patches(room / "bench.bin")
    (room / "request.json").write_text(json.dumps(request(is_plain)))
    scripts = "\n".join(f'<script src="/map/{name}"></script>' for name in SCRIPTS)
    (room / "index.html").write_text(PAGE % scripts)
    with served(room) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.on("pageerror", lambda error: print(error, file=sys.stderr))
        page.goto(address)
        page.wait_for_function("() => window.loaded && moves.length > 0", timeout=60_000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        redraws, pointers = pointed(page)
        click_ms = clicked(page)
        browser.close()
    return {
        "patches": patches,
        "components": 32,
        "redraw_ms": float(np.median(redraws)),
        "redraw_95_ms": float(np.percentile(redraws, 95)),
        "pointer_to_picture_ms": float(np.median(pointers)),
        "pointer_to_picture_95_ms": float(np.percentile(pointers, 95)),
        "click_to_kept_ms": click_ms,
        "requests": len(asked),
    }


def pointed(page: Page) -> tuple[list[float], list[float]]:
    """Redraws in the worker, and from the pointer's event to the frame that shows the picture."""
    page.evaluate("() => { moves.length = 0; }")
    for step in range(MOVES):
        page.mouse.move(300 + 10 * step, 200 + 7 * step)
        page.wait_for_timeout(120)
    moves = [move for move in page.evaluate("() => moves") if move["hasBegun"]]
    return [move["ms"] for move in moves], [move["pointerMs"] for move in moves]


def clicked(page: Page) -> float:
    """From a click to the picture of what is kept: the last one, after the click's patch is known."""
    page.evaluate("() => { moves.length = 0; }")
    page.mouse.click(500, 350)
    page.wait_for_function(
        "() => Emberscope.lenses(map).bench.picked.positive.length > 0 && moves.length > 0"
    )
    page.wait_for_timeout(500)
    return float(page.evaluate("() => moves.at(-1).pointerMs"))


def write_patches(path: Path) -> int:
    """Random numbers on one tile of a quarter of a million patches."""
    side_px = SIDE * 16
    transform = (PATCH_M / 16, 0.0, 500_000.0, 0.0, -PATCH_M / 16, 4_100_000.0)
    tile = StoredTile(
        "bench", "EPSG:32618", transform, SIDE, SIDE, side_px, side_px, (None,), ("bench",), None
    )
    fading = np.geomspace(1, 0.05, 32)
    header = Header("bench", 32, 1, ((SIDE, SIDE),), tuple(fading / 50), tuple(fading), 0.99, ("",))
    numbers = np.random.default_rng(0).normal(0, 40, (SIDE * SIDE, 32)).clip(-127, 127).astype(np.int8)
    write_file(path, header, tile_table(place([tile]), header, np.zeros(1)), [numbers])
    return SIDE * SIDE


def request(is_plain: bool) -> dict[str, Any]:
    """Similarity to the patch below the pointer."""
    zero = np.zeros(1)
    lens = Lens(
        "ramp", np.ones((1, 32)), np.zeros(32), zero, -np.ones(1), np.ones(1), ramp(), is_unit=True
    ).to_json()
    return {
        "name": "bench", "of": "bench", "pane": "overlay", "title": "", "attribution": "", "url": "/bench.bin",
        "workerUrl": "/map/lens_worker.js?kernel=1&picture=1&pieces=1&wasm=1", "lens": {**lens, "idle": {**lens, "unit": False}},
        "follows": True, "isPlain": is_plain, "serial": 0,
    }  # fmt: skip


@contextmanager
def served(room: Path, piece: Callable[[str], bytes] | None = None) -> Iterator[str]:
    """The map's files and the bench's own, at a port of this machine.

    Args:
        piece: answers for the tiles of a large store, by their runs.
    """

    class Files(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            name = path.split("?", maxsplit=1)[0].lstrip("/") or "index.html"
            return str(ROOT / "assets" / name if name.startswith(("map/", "static/")) else room / name)

        def do_GET(self) -> None:
            if piece is None or not self.path.startswith("/bench/"):
                super().do_GET()
                return
            content = piece(self.path.removeprefix("/bench/").removesuffix(".bin"))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *given: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


if __name__ == "__main__":
    main()
