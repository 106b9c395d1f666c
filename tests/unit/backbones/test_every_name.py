"""Every name of the table builds with random weights and embeds chips of 224 and 512 pixels."""

from __future__ import annotations

import gc
import math

import psutil
import pytest
import torch

from engine.backbones import build, cards
from engine.backbones.core import device
from engine.backbones.core.batch import Batch
from engine.backbones.core.spec import BackboneSpec
from tests.unit.backbones.batches import HLS, make_batch

CPU = device.Device("cpu", torch.float32, "CPU")
# Weights that a test of the ordinary suite may draw, and weights times places: some seconds on two cores.
_QUICK_WEIGHTS, _QUICK = 30e6, 2.5e10
# Numbers of every place times places, layer by layer: attention compares each place with each.
_QUICK_ATTENTION = 5e9
# float32 weights, and what torch holds besides while it draws them and while a chip goes through.
_BYTES_A_WEIGHT = 5.5


def _settings(spec: BackboneSpec) -> dict[str, str]:
    """Patches of 8 px where finer ones are the default: chips of 512 px would have 16,384 of 4 px."""
    return {"patch_px": "8"} if "patch_px" in spec.settings else {}


def _settled(name: str) -> BackboneSpec:
    spec = cards.CARDS[name]
    return cards.resolve(spec, _settings(spec), _bands(spec))


def _stride(spec: BackboneSpec) -> int:
    """Pixels of a patch of the last layer."""
    return spec.stride_px(spec.depth - 1)


def _is_quick(name: str, side: int) -> bool:
    spec = _settled(name)
    places = math.ceil(side / _stride(spec)) ** 2
    is_small = spec.parameters < _QUICK_WEIGHTS and spec.parameters * places < _QUICK
    attends = spec.parameters > 0 and not spec.layer_strides
    return is_small and (not attends or spec.dim * spec.depth * places**2 < _QUICK_ATTENTION)


def _cases(sides: tuple[int, ...]) -> list[object]:
    return [
        pytest.param(name, side, marks=() if _is_quick(name, side) else pytest.mark.slow)
        for name in cards.CARDS
        for side in sides
    ]


def _bands(spec: BackboneSpec) -> tuple[str, ...]:
    return HLS if spec.any_bands else spec.bands


@pytest.mark.parametrize(("name", "side"), _cases((224, 512)))
def test_chips_of_224_and_512_embed_and_a_batch_changes_nothing(name: str, side: int) -> None:
    spec = _settled(name)
    needed = spec.parameters * _BYTES_A_WEIGHT
    if needed > psutil.virtual_memory().available:
        pytest.skip(f"{name} needs {needed / 1e9:.0f} GB of memory")
    bands = _bands(cards.CARDS[name])
    backbone = build.build(spec, "random", CPU, _settings(spec), bands=bands)
    batch = make_batch(height=side, width=side, bands=bands, gaps=False)
    together = backbone.embed(batch, [-1]).maps[0]
    alone = backbone.embed(_first(batch), [-1]).maps[0]
    del backbone
    gc.collect()
    cells = side // _stride(spec)
    assert together.shape[:3] == (2, cells, cells)
    assert torch.isfinite(together).all()
    assert not torch.equal(together[0], together[1])
    scale = alone.abs().max()
    assert (together[:1] - alone).abs().max() <= 2e-4 * scale


def _first(batch: Batch) -> Batch:
    return Batch(
        image=batch.image[:1], valid=batch.valid[:1], bands=batch.bands, wavelengths_um=batch.wavelengths_um,
        gsd_m=batch.gsd_m, datetimes=batch.datetimes[:1],
        lonlat=None if batch.lonlat is None else batch.lonlat[:1],
    )  # fmt: skip
