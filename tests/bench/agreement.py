"""How far embeddings in lower precision on a device are from float32 on the CPU; a part of `gpu.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Share of the largest value by which bfloat16 on a device may differ from float32 on the CPU: 8 bits, many layers.
WITHIN = 0.05
# As tests/unit/backbones/test_precision.py asks of each family in small.
LEAST_COSINE = 0.999


def agreement(names: Sequence[str], scene: Path, device: str, room: Path) -> dict[str, dict[str, Any]]:
    """By backbone and precision: seconds, and how far the embeddings of a few tiles are from float32 on the CPU."""
    return {name: of_backbone(name, scene, device, room) for name in names}


def of_backbone(name: str, scene: Path, device: str, room: Path) -> dict[str, Any]:
    """One backbone with random weights."""
    import numpy as np
    import torch

    from engine.backbones.build import build
    from engine.backbones.core.device import choose
    from engine.extraction.encode import batch_of
    from engine.extraction.pixels.tile_reader import read_tile
    from engine.extraction.plan import make_plan
    from tests.bench import extract as bench

    plan = make_plan(bench.config_of(name, scene, device, None), room)
    batch = batch_of([read_tile(item, plan) for item in plan.tiles[:4]], plan)
    assert batch is not None

    def embedded(where: Any) -> Any:
        built = build(plan.spec, "random", where, plan.settings, bands=plan.bands)
        return built.embed(batch, plan.layers).maps[0].numpy()

    exact = embedded(choose("cpu", torch.float32))
    found: dict[str, Any] = {}
    kinds = (torch.bfloat16, torch.float16, torch.float32) if device == "cuda" else (torch.bfloat16,)
    for precision in kinds:
        began = time.monotonic()
        lower = embedded(choose(device, precision))
        cosine = (lower * exact).sum(-1) / np.linalg.norm(lower, axis=-1) / np.linalg.norm(exact, axis=-1)
        difference = float(np.abs(lower - exact).max() / np.abs(exact).max())
        found[str(precision).removeprefix("torch.")] = {
            "difference": round(difference, 6), "least_cosine": round(float(cosine.min()), 6),
            "is_within": bool(difference < WITHIN and cosine.min() > LEAST_COSINE),
            "seconds": round(time.monotonic() - began, 2),
        }  # fmt: skip
    return found
