"""Random convolutional features: patches of the scenes, whitened likeness, gaps that take no part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.backbones.build import build
from engine.backbones.cards import card, resolve
from engine.backbones.core.batch import Batch
from engine.backbones.core.device import OnDevice, choose
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.rcf.drawing import draw
from engine.errors import BackboneError, WeightsError
from tests.unit.backbones.batches import HLS, make_batch

FLOAT32 = choose("cpu", torch.float32)


def settled(bands: tuple[str, ...] = HLS, **settings: str) -> BackboneSpec:
    return resolve(card("rcf"), {"features": "64", **settings}, bands)


def drawn(batch: Batch, path: Path, seed: int = 0, **settings: str) -> OnDevice:
    """The features of patches that are drawn from a batch, through a file."""
    save_file(draw(settled(batch.bands, **settings), [batch], seed), path)
    return build(card("rcf"), str(path), FLOAT32, {"features": "64", **settings}, bands=batch.bands)


def test_the_seed_decides_which_patches_are_drawn() -> None:
    batch = make_batch(bands=HLS)
    first, again, other = (draw(settled(), [batch], seed) for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["patches.red"], other["patches.red"])


def test_likeness_to_patches_of_the_ground_has_a_mean_of_0_and_a_deviation_of_1_on_it(tmp_path: Path) -> None:
    """Whitened ground along a direction of length 1: independent noise has no direction that is weaker."""
    batch = make_batch(bands=HLS, height=128, width=128, gaps=False)
    model = drawn(batch, tmp_path / "w.safetensors", patch_px="1")
    like, unlike = model.embed(batch, [-1]).maps[0].split(32, dim=-1)
    likeness = (like - unlike)[:, 2:-2, 2:-2]
    assert likeness.mean().abs() < 0.02
    assert (likeness.flatten(0, 2).std(dim=0) - 1).abs().max() < 0.05


def test_a_patch_is_more_like_itself_than_any_other_ground_is(tmp_path: Path) -> None:
    """Its whitened length, about the root of 54 numbers, is far beyond the deviation of 1 of other ground."""
    batch = make_batch(chips=1, bands=HLS, height=96, width=96, gaps=False)
    likeness = drawn(batch, tmp_path / "w.safetensors", patch_px="1").embed(batch, [-1]).maps[0][0, ..., :32]
    assert (likeness.flatten(0, 1).amax(dim=0) > 5).all()


def test_missing_pixels_take_no_part_whatever_they_hold(tmp_path: Path) -> None:
    batch = make_batch(bands=HLS)
    other = replace(batch, image=batch.image.masked_fill(~batch.valid[:, :, None], 7e4))
    model = drawn(batch, tmp_path / "w.safetensors")
    torch.testing.assert_close(model.embed(other, [-1]).maps[0], model.embed(batch, [-1]).maps[0])
    first, second = (draw(settled(), [item], 0) for item in (batch, other))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_patch_without_a_valid_pixel_is_0_and_one_with_few_is_their_mean(tmp_path: Path) -> None:
    whole = make_batch(bands=HLS, gaps=False)
    model = drawn(whole, tmp_path / "w.safetensors")
    valid = whole.valid.clone()
    valid[:, :, :4, :4] = False
    valid[:, :, 4:8, :4] = False
    valid[:, :, 7, :4] = True
    found = model.embed(replace(whole, valid=valid), [-1]).maps[0]
    assert (found[:, 0, 0] == 0).all()
    assert (found[:, 1, 0] > 0).any(dim=-1).all()
    assert found[:, 1, 0].mean() > 0.5 * found[:, 5:, 5:].mean()


@pytest.mark.parametrize("bands", [("thermal",), ("vv", "vh", "elevation"), ("red", "lulc")])
def test_any_bands_are_read_but_classes(bands: tuple[str, ...], tmp_path: Path) -> None:
    batch = make_batch(bands=[band if band != "thermal" else "cirrus" for band in bands])
    batch = replace(batch, bands=bands)
    spec = settled(bands)
    assert spec.bands == tuple(band for band in bands if band != "lulc")
    save_file(draw(spec, [batch], 0), tmp_path / "w.safetensors")
    model = build(card("rcf"), str(tmp_path / "w.safetensors"), FLOAT32, {"features": "64"}, bands=bands)
    found = model.embed(batch, [-1]).maps[0]
    assert found.shape == (2, 16, 16, 64)
    assert torch.isfinite(found).all()


def test_the_order_of_the_bands_changes_nothing(tmp_path: Path) -> None:
    batch = make_batch(bands=HLS)
    turned = replace(batch, image=batch.image.flip(2), bands=tuple(reversed(HLS)))
    found = drawn(batch, tmp_path / "w.safetensors").embed(batch, [-1]).maps[0]
    model = build(
        card("rcf"), str(tmp_path / "w.safetensors"), FLOAT32, {"features": "64"}, bands=turned.bands
    )
    torch.testing.assert_close(model.embed(turned, [-1]).maps[0], found)


@pytest.mark.parametrize(
    "other", [{"bands": ("red", "green", "blue")}, {"features": "128"}, {"kernel_px": "5"}]
)
def test_patches_of_other_bands_number_or_size_are_refused(other: dict[str, object], tmp_path: Path) -> None:
    save_file(draw(settled(), [make_batch(bands=HLS)], 0), tmp_path / "w.safetensors")
    settings = {"features": "64", **{key: str(value) for key, value in other.items() if key != "bands"}}
    with pytest.raises(WeightsError, match="rcf has"):
        build(card("rcf"), str(tmp_path / "w.safetensors"), FLOAT32, settings, bands=other.get("bands", HLS))  # type: ignore[arg-type]


def test_without_scenes_it_says_where_its_weights_come_from() -> None:
    with pytest.raises(WeightsError, match=r"draws its weights from the scenes .* _encoder.safetensors"):
        build(card("rcf"), "pretrained", FLOAT32, bands=HLS)


def test_too_little_ground_without_gaps_is_refused() -> None:
    batch = make_batch(chips=1, height=5, width=5, bands=HLS, gaps=False)
    with pytest.raises(BackboneError, match="draws 32 patches of 3 x 3 px; the scenes have 9"):
        draw(settled(), [batch], 0)


def test_a_band_that_is_the_same_everywhere_is_not_divided_by_nothing(tmp_path: Path) -> None:
    batch = make_batch(bands=HLS)
    batch.image[:, :, 2] = 0.25
    assert torch.isfinite(drawn(batch, tmp_path / "w.safetensors").embed(batch, [-1]).maps[0]).all()
