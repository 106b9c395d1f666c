"""bfloat16 keeps every family's embeddings: cosine to float32 above 0.999."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from engine.backbones.core.batch import Backbone
from tests.unit.backbones import test_clay, test_dofa, test_galileo, test_prithvi, test_terramind
from tests.unit.backbones.batches import ALL_BANDS, HLS, make_batch

MAKERS: dict[str, tuple[Callable[[], Backbone], tuple[str, ...]]] = {
    "prithvi": (test_prithvi.backbone, HLS),
    "terramind": (test_terramind.backbone, tuple(ALL_BANDS)),
    "terramind with tokens": (
        lambda: test_terramind.backbone(**test_terramind.only("S2L2A", "LULC")),
        tuple(ALL_BANDS),
    ),
    "clay": (test_clay.backbone, HLS),
    "dofa": (test_dofa.backbone, HLS),
    "galileo": (test_galileo.adapter, HLS),
}


@pytest.mark.parametrize("family", MAKERS)
def test_bfloat16_stays_close_to_float32(family: str) -> None:
    make, bands = MAKERS[family]
    model, batch = make(), make_batch(height=64, width=96, bands=bands)
    exact = model.embed(batch, [-1]).maps[0]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        lower = make().embed(batch, [-1]).maps[0]
    assert lower.dtype == torch.float32
    assert (lower != exact).any()
    cosine = torch.nn.functional.cosine_similarity(lower, exact, dim=-1)
    assert cosine.min() > 0.999
