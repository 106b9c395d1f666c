"""Our encoders' forward against the same timm blocks alone, and the memory of both.

    python tests/bench/backbones.py [--json] [--device cuda] [--chips 4] [--names prithvi_eo_v2_tiny_tl ...]

The baseline is the least that a ViT needs: one plain convolution into patches, then the blocks. Ours begins at
reflectances: the difference is what bands, units, gaps, positions, time, place and the final norm cost. Rounds of
the two alternate; on the CPU, seconds are of processor time, which neighbours on a busy machine change little.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from engine.backbones import build, cards
from engine.backbones.core import device
from engine.backbones.core.batch import Batch

NAMES = ("prithvi_eo_v2_tiny_tl", "terramind_v1_tiny", "prithvi_eo_v1_100", "terramind_v1_base", "dofa_base",
         "clay_v1_base")  # fmt: skip
ALLOWED = 1.05


def measure(name: str, chips: int, rounds: int, where: device.Device) -> dict[str, Any]:
    """Seconds of the best and the median round of both, and their ratio."""
    spec = cards.CARDS[name]
    backbone = build.build(spec, "random", where, bands=spec.bands)
    module = backbone._backbone.module  # the bare encoder, to reach its blocks
    blocks = module.encoder if spec.family == "terramind" else module.blocks
    batch = _batch(backbone.spec, chips)
    caught: list[int] = []
    handle = blocks[0].register_forward_pre_hook(lambda _, given: caught.append(given[0].shape[1]))
    backbone.embed(batch, [-1])  # warms caches; the hook counts the tokens that enter the blocks
    handle.remove()
    plain = torch.nn.Conv2d(
        len(batch.bands), blocks[0].norm1.normalized_shape[0], spec.patch_px, spec.patch_px
    )
    plain = plain.to(where.name)

    def ours() -> None:
        backbone.embed(batch, [-1])

    def blocks_alone() -> None:
        kind = where.name.partition(":")[0]
        lower = where.precision != torch.float32
        with torch.inference_mode(), torch.autocast(kind, where.precision, enabled=lower):
            patches = plain(batch.image[:, 0].to(where.name)).flatten(2).transpose(1, 2)
            extra = patches.new_zeros(chips, caught[0] - patches.shape[1], patches.shape[2])
            state = torch.cat([extra, patches], dim=1)  # as many tokens as ours
            for block in blocks:
                state = block(state)
            state.float().cpu()

    blocks_alone()
    ours_s, alone_s = _alternate(ours, blocks_alone, rounds, where)
    return {
        "name": name,
        "chips": chips,
        "tokens": caught[0],
        "device": where.title,
        "ours_s": round(min(ours_s), 4),
        "blocks_s": round(min(alone_s), 4),
        "ratio": round(min(ours_s) / min(alone_s), 3),
        "ratio_of_medians": round(statistics.median(ours_s) / statistics.median(alone_s), 3),
        "tiles_per_s": round(chips / min(ours_s), 2),
        "peak_memory_mb": _peak_mb(where),
    }


def _alternate(
    first: Callable[[], None], second: Callable[[], None], rounds: int, where: device.Device
) -> tuple[list[float], list[float]]:
    clock = time.process_time if where.name == "cpu" else time.perf_counter
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, taken in zip((first, second), seconds, strict=True):
            start = clock()
            run()
            if where.name.startswith("cuda"):
                torch.cuda.synchronize()
            taken.append(clock() - start)
    return seconds


def _batch(spec: Any, chips: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    side = 224
    return Batch(
        image=torch.rand(chips, 1, len(spec.bands), side, side, generator=generator) * 0.4,
        valid=torch.ones(chips, 1, side, side, dtype=torch.bool),
        bands=spec.bands,
        wavelengths_um=spec.wavelengths_um or (0.5,) * len(spec.bands),
        gsd_m=10.0,
        datetimes=[[None]] * chips,
    )


def _peak_mb(where: device.Device) -> float:
    if where.name.startswith("cuda"):
        return round(torch.cuda.max_memory_allocated() / 1e6, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)  # of the process so far


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a backbone; 1 when any is more than 5 % slower than its blocks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--chips", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--names", nargs="+", default=list(NAMES))
    chosen = parser.parse_args(arguments)
    where, is_slow = device.choose(chosen.device), False
    for name in chosen.names:
        figures = measure(name, chosen.chips, chosen.rounds, where)
        is_slow |= figures["ratio"] > ALLOWED
        print(
            json.dumps(figures) if chosen.json else "  ".join(f"{k} {v}" for k, v in figures.items()),
            flush=True,
        )
    return int(is_slow)


if __name__ == "__main__":
    sys.exit(main())
