"""Figures of a label: from a click to the classifier's lens on the server, and to its picture in headless Chromium.

python tests/bench/label.py --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.labels.clicked.label_set import LabelSet
from engine.learning.clicked.classifier import Classifier, fit
from engine.views.lens.lens import Kind
from engine.views.pca import Pca
from tests.bench import lens as lens_bench

DIM, COMPONENTS, LABELS, TIMES = 768, 32, 200, 9
KINDS: tuple[Kind, ...] = ("classes", "probability", "uncertainty")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        found = measured(Path(room))
    print(
        json.dumps(found)
        if chosen.json
        else "\n".join(f"{name:>24}  {value:.4g}" for name, value in found.items())
    )


def measured(room: Path) -> dict[str, float]:
    """Medians, milliseconds; `total_*` is the server's part and the picture's."""
    lens_bench.SIDE = 317  # squared, 100,000 patches
    basis, (classifier, server_ms, server_cpu_ms) = _basis(), _taught(_basis())
    patches = lens_bench.write_patches(room / "bench.bin")
    given = lens_bench.request(is_plain=False) | {"follows": False}
    asked = {kind: classifier.lens(kind, 1).reduced(basis).to_json() for kind in KINDS}
    (room / "request.json").write_text(json.dumps(given | {"lens": asked["classes"]}))
    scripts = "\n".join(f'<script src="/map/{name}"></script>' for name in lens_bench.SCRIPTS)
    (room / "index.html").write_text(lens_bench.PAGE % scripts)
    found = {
        "patches": float(patches), "labels": float(LABELS), "server_ms": server_ms, "server_cpu_ms": server_cpu_ms,
    }  # fmt: skip
    with lens_bench.served(room) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.goto(address)
        page.wait_for_function("() => window.loaded && moves.length > 0", timeout=60_000)
        for kind, lens in asked.items():
            times = [page.evaluate(_REDRAW, lens) for _ in range(TIMES)]
            found |= {
                f"picture_{kind}_ms": float(np.median(times)),
                f"total_{kind}_ms": server_ms + float(np.median(times)),
            }
        browser.close()
    return found


_REDRAW = """(lens) => new Promise((resolve) => {
  const layer = Emberscope.lenses(map).bench, begun = performance.now();
  layer.once("lensdrawn", () => requestAnimationFrame(() => resolve(performance.now() - begun)));
  layer.setLens(lens, { follows: false });
})"""


def _basis() -> Pca:
    directions = np.linalg.qr(np.random.default_rng(0).standard_normal((DIM, COMPONENTS)))[0].T
    shares = np.full(COMPONENTS, 1 / COMPONENTS)
    return Pca(0, 1, np.zeros(DIM), directions, shares, -np.ones(COMPONENTS), np.ones(COMPONENTS))


def _taught(basis: Pca) -> tuple[Classifier, float, float]:
    """Four classes of labels drawn by lot; milliseconds of a fit with the lens that a browser gets, and of the processor."""
    classes = LabelSet().with_class("water").with_class("marsh").classes
    values, truth = np.random.default_rng(1).standard_normal((LABELS, DIM)), np.arange(LABELS) % len(classes)
    times = []
    for _ in range(TIMES):
        begun, cpu = time.perf_counter(), time.process_time()
        made = fit(values, truth, np.arange(LABELS), classes, basis)
        made.lens().reduced(basis).to_json()
        times.append((1000 * (time.perf_counter() - begun), 1000 * (time.process_time() - cpu)))
    server_ms, server_cpu_ms = np.median(times, axis=0).tolist()
    return made, server_ms, server_cpu_ms


if __name__ == "__main__":
    main()
