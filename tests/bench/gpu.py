"""What one NVIDIA card makes of the engine, as one JSON object, in at most five minutes.

    python tests/bench/gpu.py [--wheels FOLDER] [--limit SECONDS]

The machine needs Python 3.12 and torch; nothing is fetched. Other libraries that it lacks are installed into a
temporary folder from wheels that were carried along, downloaded elsewhere with

    pip download --only-binary :all: --python-version 3.12 --platform manylinux_2_28_x86_64 -d FOLDER --no-deps NAMES

(`--list-wheels` prints the names). Weights are random. Without a card it runs in small on the CPU, so that the suite
runs it. Sections that the limit leaves no time for are named under "left_out".
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from tests.bench.agreement import agreement  # noqa: E402
from tests.bench.wheels import NEEDED, install  # noqa: E402

NAMES_GPU, NAMES_CPU = (
    ("prithvi_eo_v2_300", "dofa_base", "galileo_nano", "terramind_v1_base"),
    ("prithvi_eo_v2_tiny_tl",),
)
# The smallest and a real size of each family that has transformers, and what stays in float32 on every device.
AGREE_GPU = (
    "prithvi_eo_v2_tiny_tl", "prithvi_eo_v2_300", "terramind_v1_tiny", "terramind_v1_base", "clay_v1_base", "dofa_base",
    "galileo_nano", "galileo_base", "timm/vit_small_patch16_224", "efficientnet_lite0",
)  # fmt: skip
AGREE_CPU = ("prithvi_eo_v2_tiny_tl", "galileo_nano")
AIM = 0.90  # of the bare forward pass
SMALL_PART_ROWS = 196  # of a tile of 224 px in patches of 16: a kill finds several parts


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--json", action="store_true", help="accepted for `make bench`; the output is always JSON"
    )
    parser.add_argument("--wheels", type=Path, help="folder of wheels to install what is missing from")
    parser.add_argument("--list-wheels", action="store_true")
    parser.add_argument("--limit", type=float, default=280.0, help="seconds after which no section begins")
    parser.add_argument("--tiles", type=int, help="of 224 px (default: 512 on a card, 12 on a CPU)")
    parser.add_argument("--job", nargs=2, type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.list_wheels:
        print(*NEEDED)
        return 0
    with tempfile.TemporaryDirectory() as room:
        install(chosen.wheels, Path(room) / "libraries")
        if chosen.job:
            return job(*chosen.job)
        print(json.dumps(measured(Path(room), chosen.limit, chosen.tiles)))
    return 0


def measured(room: Path, limit_s: float, tiles: int | None) -> dict[str, Any]:
    """All sections, each as far as the time goes."""
    import torch

    from tests.bench import extract as bench

    began, is_card = time.monotonic(), torch.cuda.is_available()
    device, names = ("cuda", NAMES_GPU) if is_card else ("cpu", NAMES_CPU)
    count = tiles or (512 if is_card else 12)
    scene = bench.make_scene(room / "scene.tif", count)
    small = bench.make_scene(room / "small.tif", min(count, 64))
    card = torch.cuda.get_device_name() if is_card else "none: in small on the CPU"
    found: dict[str, Any] = {
        "card": card, "torch": torch.__version__, "python": sys.version.split()[0], "date": time.strftime("%Y-%m-%d"),
        "aim": AIM, "left_out": [],
    }  # fmt: skip
    sections: dict[str, Callable[[], Any]] = {
        **{
            name: lambda name=name: whole_over_bare(name, small if "galileo" in name else scene, device, room)
            for name in names
        },
        "training": lambda: training(names[-1], small, device, room),
        "agreement": lambda: agreement(AGREE_GPU if is_card else AGREE_CPU, small, device, room),
        "out_of_memory": lambda: out_of_memory(names[-1], small, device, room),
        "kill_and_resume": lambda: kill_and_resume(names[-1], small, device, room),
        "compile": lambda: compiled(names[0], scene, device, room) if is_card else None,
    }
    for name, section in sections.items():
        if time.monotonic() - began > limit_s:
            found["left_out"].append(name)
            continue
        found[name] = section()
        so_far = f"{time.monotonic() - began:6.1f} s  {name}  {json.dumps(found[name])}"
        print(so_far, file=sys.stderr, flush=True)  # kept where the machine is taken away
    return found | {"seconds": round(time.monotonic() - began, 1)}


def whole_over_bare(name: str, scene: Path, device: str, room: Path) -> dict[str, Any]:
    """Tiles a second of the whole extraction and of the bare forward pass, and the batch that was found."""
    from tests.bench import extract as bench

    figures = bench.measure(name, scene, 2, device, None, _folder(room, name))
    kept = (
        "precision",
        "batch",
        "tiles",
        "bare_tiles_per_s",
        "whole_tiles_per_s",
        "ratio",
        "bare_float32_tiles_per_s",
        "peak_mb",
    )
    return {key: figures[key] for key in kept} | {"reaches_aim": figures["ratio"] >= AIM}


def compiled(name: str, scene: Path, device: str, room: Path) -> dict[str, float]:
    """Tiles a second of the whole extraction with and without `compile`, compilation itself among it and not."""
    from engine.jobs.configuration.config import ExtractConfig
    from engine.jobs.events import TileDone
    from tests.bench import extract as bench

    def pace(config: ExtractConfig) -> dict[str, float]:
        times = [
            (time.perf_counter(), event.done)
            for event in _extracted(config, _folder(room, f"compile-{config.compile}"))
            if isinstance(event, TileDone)
        ]
        half = times[len(times) // 2]  # by then everything is compiled
        return {"tiles_per_s": round((times[-1][1] - half[1]) / (times[-1][0] - half[0]), 1)}

    plain = bench.config_of(name, scene, device, None)
    off, on = (pace(plain.model_copy(update={"compile": choice})) for choice in (False, True))
    return {"off": off["tiles_per_s"], "on": on["tiles_per_s"]}


def out_of_memory(name: str, scene: Path, device: str, room: Path) -> dict[str, Any]:
    """A batch for which memory is too small is halved until it fits, and gives the same rows."""
    import numpy as np

    from engine.extraction.encode import batch_of, open_backbone
    from engine.extraction.pixels.tile_reader import read_tile
    from engine.extraction.plan import make_plan
    from tests.bench import extract as bench

    plan = make_plan(bench.config_of(name, scene, device, None), room)
    batch = batch_of([read_tile(item, plan) for item in plan.tiles[:12]], plan)
    assert batch is not None
    backbone: Any = open_backbone(plan, bench.choose(device))
    wanted = backbone.embed(batch, plan.layers).maps[0].numpy()
    with _little_memory(backbone, device, largest=5):
        found = backbone.embed(batch, plan.layers).maps[0].numpy()
    return {
        "batch": len(batch.datetimes), "fits": backbone.largest_batch,
        "difference": float(np.abs(found - wanted).max() / np.abs(wanted).max()),
        "is_halved": bool(backbone.largest_batch) and backbone.largest_batch < len(batch.datetimes),
    }  # fmt: skip


@contextmanager
def _little_memory(backbone: Any, device: str, largest: int) -> Iterator[None]:
    """No memory for more chips than this at once: as the card itself says it, or, without a card, a hook in its place."""
    import torch

    def refuse(_: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = next(value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor))
        if len(given) > largest:
            if device == "cuda":  # asks the card for more than it has
                torch.empty(1 << 46, dtype=torch.uint8, device=device)
            raise torch.OutOfMemoryError("out of memory, for this bench")

    handle = backbone._module.register_forward_pre_hook(refuse, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def kill_and_resume(name: str, scene: Path, device: str, room: Path) -> dict[str, Any]:
    """A run that SIGKILL ends and that goes on holds the rows of an undisturbed one."""
    import numpy as np

    from engine.jobs.configuration.config import OutputConfig, to_yaml
    from engine.store.store import FINISHED, UNFINISHED, EmbeddingStore
    from tests.bench import extract as bench

    config = bench.config_of(name, scene, device, 2).model_copy(
        update={"output": OutputConfig(dtype="float32")}
    )
    path = room / "killed.yaml"
    path.write_text(to_yaml(config), encoding="utf-8")
    folders = [room / "undisturbed", room / "killed"]
    job(path, folders[0])
    victim = subprocess.Popen([sys.executable, __file__, "--job", str(path), str(folders[1])])
    while victim.poll() is None and not list((folders[1] / UNFINISHED).glob("part-*.parquet")):
        time.sleep(0.002)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    was_unfinished = not (folders[1] / FINISHED).exists()
    job(path, folders[1])
    one, other = (EmbeddingStore.open(folder) for folder in folders)
    is_same = [tile.id for tile in one.tiles] == [tile.id for tile in other.tiles]
    return {
        "was_unfinished": was_unfinished, "rows": one.rows,
        "are_rows_equal": bool(is_same and np.array_equal(one.read(), other.read())),
    }  # fmt: skip


def job(config_path: Path, folder: Path) -> int:
    """One extraction in small parts: that which is killed is a process of its own."""
    from engine.jobs.configuration.config import load_config
    from engine.store import writer

    usual, writer.ROWS_A_PART = writer.ROWS_A_PART, SMALL_PART_ROWS
    try:
        list(_extracted(load_config(config_path), folder))
    finally:
        writer.ROWS_A_PART = usual
    return 0


def training(name: str, scene: Path, device: str, room: Path) -> dict[str, Any]:
    """Epochs a second of the default decoder on a store of random embeddings and labels."""
    import numpy as np
    import rasterio

    from engine.jobs.configuration.config import TrainConfig, parse_config
    from engine.jobs.events import EpochDone
    from engine.learning.train import train
    from tests.bench import extract as bench

    store, labels = _folder(room, "train-store"), room / "labels.tif"
    list(_extracted(bench.config_of(name, scene, device, None), store))
    with rasterio.open(scene) as image:
        profile = {"driver": "GTiff", "count": 1, "dtype": "int16", "crs": image.crs, "transform": image.transform,
                   "height": image.height, "width": image.width, "nodata": -1}  # fmt: skip
    burnt = np.random.default_rng(0).integers(0, 2, (1, profile["height"], profile["width"])).astype(np.int16)
    with rasterio.open(labels, "w", **profile) as out:
        out.write(burnt)
    config = parse_config({
        "kind": "train", "store": str(store), "labels": {"source": "raster", "path": str(labels)}, "epochs": 4,
        "device": device, "split": {"by": "place"}, "baselines": [],
    })  # fmt: skip
    assert isinstance(config, TrainConfig)
    folder = _folder(room, "train")
    seconds = [event.seconds for event in train(config, folder, room) if isinstance(event, EpochDone)]
    return {"epochs_per_s": round(1 / min(seconds), 2), "epochs": len(seconds)}


def _extracted(config: Any, folder: Path) -> Iterator[Any]:
    from engine.extraction.extract import extract

    return extract(config, folder, folder.parent)


def _folder(room: Path, name: str) -> Path:
    folder = room / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
