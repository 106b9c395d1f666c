"""A whole extraction against its bare forward pass, on the same tiles, from one run; and whether memory stays flat.

    python tests/bench/extract.py [--json] [--names prithvi_eo_v2_tiny_tl ...] [--tiles 384] [--device cuda]

The scene is an int16 Cloud-Optimised GeoTIFF (deflate) of six bands, made for the bench; weights are random. The bare
forward is the encoder's own module on tensors that are ready on its device: no reading, no normalisation, no
writing. The whole run is from the first tile asked for to the store in its place. Rounds of the two alternate, and
the best of each counts; processor seconds, which neighbours on a busy machine change less, are told beside them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
import torch
from affine import Affine

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.backbones import cards
from engine.backbones.build import build
from engine.backbones.core.device import Device, choose
from engine.extraction.batches import batch_pixels, batches_of, tiles_a_batch
from engine.extraction.encode import batch_of
from engine.extraction.extract import extract
from engine.extraction.pixels.tile_reader import read_tile
from engine.extraction.plan import Plan, make_plan
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import ExtractPlanned
from engine.store.store import EmbeddingStore

SIDE_PX = 224
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
# Threads of one batch share it: alone, the forward pass was fastest with so many tiles or more.
BARE_TILES = 8
NAMES = ("prithvi_eo_v2_tiny_tl", "prithvi_eo_v2_100_tl")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures, one line a backbone and one of memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--names", nargs="+", default=list(NAMES))
    parser.add_argument("--tiles", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch", type=int, help="tiles a batch (default: as the job finds it)")
    parser.add_argument("--memory", type=int, default=100, metavar="TILES",
                        help="hold the peak of ten times so many tiles against that of so many; 0: do not")  # fmt: skip
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.alone:
        return alone(Path(chosen.alone), chosen.names[0], chosen.device)
    with tempfile.TemporaryDirectory() as room:
        scene = make_scene(Path(room) / "scene.tif", chosen.tiles)
        for name in chosen.names:
            tell(measure(name, scene, chosen.rounds, chosen.device, chosen.batch, Path(room)), chosen.json)
    if chosen.memory:
        tell(memory(chosen.names[0], chosen.memory, chosen.device), chosen.json)
    return 0


def tell(figures: dict[str, Any], as_json: bool) -> None:
    print(
        json.dumps(figures) if as_json else "\n".join(f"{k:28} {v}" for k, v in figures.items()), flush=True
    )


def measure(
    name: str, scene: Path, rounds: int, device: str, batch: int | None, room: Path
) -> dict[str, Any]:
    """The figures of one backbone."""
    config = config_of(name, scene, device, batch)
    plan, where = make_plan(config, room), choose(device)
    load = os.getloadavg()[0]
    chosen = bare(plan, where.precision, where)
    exact = None if where.precision == torch.float32 else bare(plan, torch.float32, where)
    whole = whole_run(config, room)
    seconds: dict[str, list[tuple[float, float]]] = {"chosen": [], "exact": [], "whole": []}
    for _ in range(rounds):
        for key, run in (("chosen", chosen), ("exact", exact), ("whole", whole)):
            if run is not None:
                seconds[key].append(run())
    seconds["exact"] = seconds["exact"] or seconds["chosen"]
    tiles, best = len(plan.tiles), {key: min(wall for wall, _ in all_) for key, all_ in seconds.items()}
    busy = {key: min(cpu for _, cpu in all_) for key, all_ in seconds.items()}
    store = EmbeddingStore.open(newest(room))
    return {
        "name": name, "device": where.title, "precision": str(where.precision).removeprefix("torch."),
        "date": datetime.now(UTC).date().isoformat(), "tiles": tiles, "px": SIDE_PX,
        "batch": batch_tiles(plan, where), "threads": torch.get_num_threads(), "load_before": round(load, 2),
        "bare_float32_tiles_per_s": round(tiles / best["exact"], 2),
        "bare_tiles_per_s": round(tiles / best["chosen"], 2),
        "whole_tiles_per_s": round(tiles / best["whole"], 2),
        "ratio": round(best["chosen"] / best["whole"], 3),
        "ratio_to_float32": round(best["exact"] / best["whole"], 3),
        "bare_cpu_s_a_tile": round(busy["chosen"] / tiles, 4), "whole_cpu_s_a_tile": round(busy["whole"] / tiles, 4),
        "bytes_a_patch": round(store.bytes_on_disk / store.rows, 1), "peak_mb": peak_mb(where),
    }  # fmt: skip


Run = Callable[[], tuple[float, float]]
"""Runs once; wall and processor seconds."""


def batch_tiles(plan: Plan, where: Device) -> int:
    return tiles_a_batch(plan, plan.tiles[0], batch_pixels(plan, where))


def bare(plan: Plan, precision: torch.dtype, where: Device) -> Run:
    """The encoder's module on the tensors that its adapter gives it, over as many tiles as the run has."""
    backbone = build(plan.spec, "random", choose(where.name, precision), plan.settings, bands=plan.bands)
    module = backbone._module
    assert module is not None, "raw pixels have no encoder"
    batches = batches_of(replace(plan, batch_size=max(BARE_TILES, batch_tiles(plan, where))), 0)
    ready: list[tuple[Any, Any]] = []
    handle = module.register_forward_pre_hook(
        lambda _, args, kwargs: ready.append((args, kwargs)), with_kwargs=True
    )
    for items in (batches[0], batches[-1]):  # full, and the last one
        batch = batch_of([read_tile(item, plan) for item in items], plan)
        assert batch is not None
        backbone.embed(batch, plan.layers)
    handle.remove()
    assert len(ready) == 2, f"{plan.spec.name} does not run through its module's forward"
    full, last = ready
    kind, dtype = where.name.partition(":")[0], backbone.device.precision

    def run() -> tuple[float, float]:
        with torch.inference_mode(), torch.autocast(kind, dtype, enabled=dtype != torch.float32):
            with Timed(where) as taken:
                for args, kwargs in [full] * (len(batches) - 1) + [last]:
                    module(*args, **kwargs)
            return taken()

    return run


def whole_run(config: ExtractConfig, room: Path) -> Run:
    """The job from its plan to its store; loading weights is not counted."""

    def run() -> tuple[float, float]:
        began = (0.0, 0.0)
        for event in extract(config, room / f"run-{time.monotonic_ns()}", room):
            if isinstance(event, ExtractPlanned):
                began = (time.perf_counter(), time.process_time())
        return time.perf_counter() - began[0], time.process_time() - began[1]

    return run


class Timed:
    """Seconds inside a block, the device's work included."""

    def __init__(self, where: Device) -> None:
        self.where = where

    def __enter__(self) -> Callable[[], tuple[float, float]]:
        self._wait()
        self.began = (time.perf_counter(), time.process_time())
        return lambda: self.taken

    def __exit__(self, *_: object) -> None:
        self._wait()
        self.taken = (time.perf_counter() - self.began[0], time.process_time() - self.began[1])

    def _wait(self) -> None:
        if self.where.name.startswith("cuda"):
            torch.cuda.synchronize()


def memory(name: str, tiles: int, device: str) -> dict[str, Any]:
    """Peak memory of whole runs in processes of their own: some tiles, and ten times as many."""
    peaks = {}
    for count in (tiles, 10 * tiles):
        with tempfile.TemporaryDirectory() as room:
            scene = make_scene(Path(room) / "scene.tif", count)
            command = [sys.executable, __file__, "--alone", str(scene), "--names", name, "--device", device]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            peaks[count] = json.loads(told.splitlines()[-1])
    small, large = peaks[tiles], peaks[10 * tiles]
    return {
        "name": name, "tiles": [small["tiles"], large["tiles"]], "peak_mb": [small["peak_mb"], large["peak_mb"]],
        "peak_ratio": round(large["peak_mb"] / small["peak_mb"], 3),
    }  # fmt: skip


def alone(scene: Path, name: str, device: str) -> int:
    """One whole run; prints its tiles and the process's peak."""
    config = config_of(name, scene, device, None)
    tiles = 0
    for event in extract(config, scene.parent / "run", scene.parent):
        if isinstance(event, ExtractPlanned):
            tiles = event.tiles
    print(json.dumps({"tiles": tiles, "peak_mb": peak_mb(choose(device))}))
    return 0


def config_of(name: str, scene: Path, device: str, batch: int | None) -> ExtractConfig:
    card = cards.card(name)
    settings = {"bands": "available"} if "bands" in card.settings else {}  # the scene has six
    side_px = card.chip_px if card.largest_window_px else SIDE_PX
    parsed = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(scene)}, "device": device, "batch_size": batch,
        "backbone": {"name": name, "weights": "random", "settings": settings}, "tiles": {"size_px": side_px},
    })  # fmt: skip
    assert isinstance(parsed, ExtractConfig)
    return parsed


def make_scene(path: Path, tiles: int) -> Path:
    """A COG of so many whole tiles (or a few more): smooth ground with grain, as much of it as compresses like land."""
    across = math.ceil(math.sqrt(tiles))
    down = math.ceil(tiles / across)
    corner = (120 * SIDE_PX * 30, 600 * SIDE_PX * 30)  # on the grid of tiles
    profile = {
        "driver": "GTiff", "count": 6, "dtype": "int16", "height": down * SIDE_PX, "width": across * SIDE_PX,
        "crs": "EPSG:32618", "transform": Affine(30, 0, corner[0], 0, -30, corner[1]), "nodata": -9999,
        "tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "pixel",
    }  # fmt: skip
    plain = path.with_suffix(".plain.tif")
    with rasterio.open(plain, "w", **profile) as out:
        out.descriptions = BANDS
        out.update_tags(EMBERSCOPE_SENSOR="hls", EMBERSCOPE_DATETIME="2021-07-01T16:00:00+00:00")
        for row, pixels in enumerate(_strips(down, across)):
            out.write(pixels, window=rasterio.windows.Window(0, row * SIDE_PX, across * SIDE_PX, SIDE_PX))
    rasterio.shutil.copy(plain, path, driver="COG", compress="DEFLATE", predictor="YES", overviews="NONE")
    plain.unlink()
    return path


def _strips(down: int, across: int) -> Iterator[np.ndarray]:
    """Rows of tiles (6, SIDE_PX, width) int16."""
    rng = np.random.default_rng(0)
    level = np.array([400, 700, 800, 2600, 2200, 1300])[:, None, None]
    for _ in range(down):
        coarse = rng.normal(0, 1, (6, SIDE_PX // 16, across * SIDE_PX // 16))
        smooth = coarse.repeat(16, axis=1).repeat(16, axis=2)
        grain = rng.normal(0, 0.05, smooth.shape)
        yield np.clip(level * (1 + 0.3 * smooth + grain), 1, 10_000).astype(np.int16)


def newest(room: Path) -> Path:
    return max(room.glob("run-*"), key=lambda path: path.stat().st_mtime)


def peak_mb(where: Device) -> float:
    """Of the device, or of the process so far."""
    if where.name.startswith("cuda"):
        return round(torch.cuda.max_memory_allocated() / 1e6, 1)
    status = Path("/proc/self/status")
    if status.is_file():  # ru_maxrss would count what the parent had when it started this process
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) * 1024 / 1e6, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)


if __name__ == "__main__":
    sys.exit(main())
