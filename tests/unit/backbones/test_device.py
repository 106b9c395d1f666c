"""Devices, and batches that halve themselves when memory runs out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from engine.backbones.build import build
from engine.backbones.cards import card
from engine.backbones.core.batch import Batch, Embedded, take
from engine.backbones.core.device import OnDevice, Stopped, choose, describe
from engine.errors import BackboneError, DeviceFailure


class Narrow:
    """A backbone with memory for so many chips: gives each chip's mean, and its class token."""

    spec = card("raw")
    weights_sha256 = "none"

    def __init__(self, room: int) -> None:
        self.room = room
        self.sizes: list[int] = []

    def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
        count = len(batch.image)
        self.sizes.append(count)
        assert len(batch.datetimes) == count
        if count > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        means = batch.image.mean(dim=(1, 2, 3, 4)).view(-1, 1, 1, 1)
        return Embedded([means for _ in layers], [means.flatten(1) for _ in layers])


@pytest.mark.parametrize("count", [1, 5, 8])
@pytest.mark.parametrize("room", [1, 2, 3, 100])
def test_a_batch_too_large_gives_the_same_as_one_that_fits(
    count: int, room: int, make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(count, 4, 4)
    wanted = Narrow(100).embed(batch, [0, 1])
    found = OnDevice(Narrow(room), None, choose("cpu", torch.float32)).embed(batch, [0, 1])
    assert len(found.maps) == 2 and torch.equal(found.maps[1], wanted.maps[1])
    assert found.cls is not None and wanted.cls is not None and torch.equal(found.cls[0], wanted.cls[0])


def test_the_size_that_fitted_is_remembered(make_batch: Callable[..., Batch]) -> None:
    narrow = Narrow(2)
    backbone = OnDevice(narrow, None, choose("cpu", torch.float32))
    backbone.embed(make_batch(8, 4, 4), [0])
    assert backbone.largest_batch == 2
    narrow.sizes.clear()
    backbone.embed(make_batch(8, 4, 4), [0])
    assert narrow.sizes == [2, 2, 2, 2]


def test_a_single_chip_that_does_not_fit_is_a_device_failure(make_batch: Callable[..., Batch]) -> None:
    with pytest.raises(DeviceFailure, match="no memory left for one chip"):
        OnDevice(Narrow(0), None, choose("cpu")).embed(make_batch(4, 4, 4), [0])


def test_an_error_that_is_not_memory_is_not_swallowed(make_batch: Callable[..., Batch]) -> None:
    class Broken(Narrow):
        def embed(self, batch: Batch, layers: Sequence[int]) -> Embedded:
            raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        OnDevice(Broken(1), None, choose("cpu")).embed(make_batch(2, 4, 4), [0])


def test_auto_takes_the_accelerator_where_there_is_one() -> None:
    kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose("auto").name.startswith(kind)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(BackboneError, match=r"The device cuda:99 is not here: torch sees \d+ CUDA devices"):
        choose("cuda:99")


@pytest.mark.parametrize(("flag", "dtype"), [("avx512_bf16", torch.bfloat16), ("avx2", torch.float32)])
def test_bfloat16_is_used_where_the_processor_has_it(
    flag: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"flags : fpu sse {flag}\n")
    monkeypatch.setattr("engine.backbones.core.cpu_flags.Path", lambda _: info)
    assert choose("cpu").precision == dtype
    assert str(dtype).removeprefix("torch.") in describe(choose("cpu"))


def test_a_transformer_in_bfloat16_stays_close_to_float32(virginia: Batch) -> None:
    spec = card("timm/vit_tiny_patch16_224")
    full, half = (
        build(spec, "random", choose("cpu", dtype)).embed(take(virginia, 0, 1), [5, -1]).maps
        for dtype in (torch.float32, torch.bfloat16)
    )
    for one, other in zip(full, half, strict=True):
        assert other.dtype == torch.float32 and not torch.equal(one, other)
        assert float(torch.cosine_similarity(one.flatten(), other.flatten(), dim=0)) > 0.999


def test_a_convolutional_network_stays_in_float32(make_batch: Callable[..., Batch]) -> None:
    spec = card("csmask_b4_l1c")
    batch = make_batch(1, 64, 64)
    full, asked_for_less = (
        build(spec, "pretrained", choose("cpu", dtype)).embed(batch, [4]).maps[0]
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert torch.equal(full, asked_for_less)


def test_random_weights_come_from_the_seed_alone(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch(1, 64, 64)

    def embed(seed: int) -> torch.Tensor:
        torch.rand(seed + 1)  # what was drawn before must not matter
        return build(card("csmask_b4_l2a"), "random", choose("cpu"), seed=seed).embed(batch, [2]).maps[0]

    before = torch.random.get_rng_state()
    build(card("csmask_b4_l2a"), "random", choose("cpu"), seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(embed(1), embed(1)) and not torch.equal(embed(1), embed(2))


@pytest.mark.parametrize(
    "name", ["raw", "prithvi_eo_v2_tiny_tl", "timm/vit_tiny_patch16_224", "csmask_b4_l2a"]
)
@pytest.mark.parametrize("dtype", [torch.int16, torch.uint16])
def test_stored_integers_give_what_their_reflectance_gives(
    name: str, dtype: torch.dtype, make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(2, 64, 64, bands=card(name).bands or ("blue", "green"))
    stored = (batch.image * 5000).to(dtype)
    gaps = torch.rand(batch.valid.shape, generator=torch.Generator().manual_seed(1)) < 0.1
    scale, offset = 2e-4, -0.05
    image = torch.where(gaps.unsqueeze(2), 0.0, stored.float() * scale + offset)
    backbone = build(card(name), "random", choose("cpu", torch.float32), bands=batch.bands)
    plain = backbone.embed(dataclasses.replace(batch, image=image, valid=~gaps), [-1]).maps[0]
    whole = dataclasses.replace(batch, image=stored, valid=~gaps, scale=scale, offset=offset)
    assert torch.allclose(backbone.embed(whole, [-1]).maps[0], plain, atol=1e-4)


def test_a_pass_that_nobody_waits_for_ends_at_its_next_block(make_batch: Callable[..., Batch]) -> None:
    backbone = build(card("timm/vit_tiny_patch16_224"), "random", choose("cpu"))
    backbone.stop()
    with pytest.raises(Stopped):
        backbone.embed(make_batch(1, 224, 224, bands=backbone.spec.bands), [0])


@pytest.mark.parametrize("name", ["prithvi_eo_v2_tiny_tl", "timm/vit_tiny_patch16_224"])
def test_compiling_takes_each_block(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[torch.nn.Module] = []

    def take_it(part: torch.nn.Module) -> None:
        taken.append(part)

    monkeypatch.setattr(torch.nn.Module, "compile", take_it)
    backbone = build(card(name), "random", choose("cpu"), bands=card(name).bands)
    backbone.compile()
    assert [type(part).__name__ for part in taken] == ["Block"] * backbone.spec.depth


@pytest.mark.slow
def test_a_compiled_encoder_gives_what_it_gave(make_batch: Callable[..., Batch]) -> None:
    backbone = build(card("timm/vit_tiny_patch16_224"), "random", choose("cpu", torch.float32))
    batch = make_batch(2, 224, 224, bands=backbone.spec.bands)
    before = backbone.embed(batch, [-1]).maps[0]
    backbone.compile()
    assert torch.allclose(backbone.embed(batch, [-1]).maps[0], before, atol=1e-4)
