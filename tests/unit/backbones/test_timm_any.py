"""Any timm model: kinds of encoders, sizes of chips, what is dropped and what is normed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from engine.backbones.build import build
from engine.backbones.cards import card
from engine.backbones.core.batch import Batch, take
from engine.backbones.core.device import choose
from engine.backbones.dinov3.cards import CARDS as DINOV3_CARDS
from engine.errors import BackboneError, WeightsError
from engine.files import file_sha256

FLOAT32 = choose("cpu", torch.float32)
KINDS = (
    "timm/vit_tiny_patch16_224", "timm/convnext_atto", "timm/resnet18", "timm/swin_tiny_patch4_window7_224",
    "timm/efficientnet_b0", "efficientnet_lite0", "vit_small_patch16_dinov3.lvd1689m",
)  # fmt: skip
SMALL_DINOV3 = "vit_small_patch16_dinov3.lvd1689m"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("size_px", [224, 512])
def test_a_chip_is_embedded_alike_alone_and_among_others(
    name: str, size_px: int, make_batch: Callable[..., Batch]
) -> None:
    backbone = build(card(name), "random", FLOAT32)
    spec = backbone.spec
    batch = make_batch(2, size_px, size_px)
    layers = [0, spec.depth - 1]
    together, alone = backbone.embed(batch, layers), backbone.embed(take(batch, 1, 2), layers)
    for layer, many, one in zip(layers, together.maps, alone.maps, strict=True):
        side = size_px // spec.stride_px(layer)
        assert many.shape == (2, side, side, spec.layer_dim(layer)) and many.dtype == torch.float32
        assert torch.allclose(many[1:], one, atol=1e-4 * float(one.std()))
    assert (together.cls is not None) == ("cls" in spec.pooling)


@pytest.mark.parametrize("name", ["timm/vit_tiny_patch16_224", SMALL_DINOV3])
def test_class_and_register_tokens_are_never_taken_for_patches(
    name: str, make_batch: Callable[..., Batch]
) -> None:
    spec = card(name)
    backbone = build(spec, "random", FLOAT32, seed=3)
    batch = make_batch(1, 64, 96)
    found = backbone.embed(batch, [-1])
    torch.manual_seed(3)
    model = timm.create_model(str(spec.config["timm"]), num_classes=0, dynamic_img_size=True).eval()
    seen = spec.normalisation
    image = (batch.image[:, 0, [2, 1, 0]] / 0.3).clamp(0, 1)
    image = (image - torch.tensor(seen.mean).view(-1, 1, 1)) / torch.tensor(seen.std).view(-1, 1, 1)
    with torch.inference_mode():
        tokens = model.forward_features(image)  # after the final norm
    patches = tokens[:, model.num_prefix_tokens :].unflatten(1, (4, 6))
    assert torch.allclose(found.maps[0], patches, atol=1e-5)
    assert found.cls is not None and torch.allclose(found.cls[0], tokens[:, 0], atol=1e-5)


def test_the_norm_setting_decides_which_layers_pass_the_final_norm(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch(1, 64, 64)
    spec = card("timm/vit_tiny_patch16_224")
    maps = {
        norm: build(spec, "random", FLOAT32, {"norm": norm}).embed(batch, [3, -1]).maps
        for norm in ("last", "none", "all")
    }
    assert torch.equal(maps["last"][0], maps["none"][0]) and not torch.equal(maps["last"][0], maps["all"][0])
    assert torch.allclose(maps["last"][1], maps["all"][1], atol=1e-5)
    assert not torch.allclose(maps["last"][1], maps["none"][1], atol=1e-2)


def test_layers_come_in_the_order_asked(make_batch: Callable[..., Batch]) -> None:
    backbone = build(card("timm/resnet18"), "random", FLOAT32)
    batch = make_batch(1, 64, 64)
    mixed = backbone.embed(batch, [3, 1, -2]).maps
    first, second = backbone.embed(batch, [1]).maps[0], backbone.embed(batch, [3]).maps[0]
    assert torch.equal(mixed[0], second) and torch.equal(mixed[1], first) and torch.equal(mixed[2], second)


def test_all_bands_repeat_the_colour_kernels_as_timm_does(
    make_batch: Callable[..., Batch], tmp_path: Path
) -> None:
    spec = card("timm/resnet18")
    rgb = timm.create_model("resnet18", num_classes=1000)
    path = tmp_path / "rgb.safetensors"
    safetensors.torch.save_file(rgb.state_dict(), path)
    batch = make_batch(1, 64, 64)
    backbone = build(spec, str(path), FLOAT32, {"input": "all_bands"}, bands=batch.bands)
    assert backbone.spec.bands == batch.bands and len(backbone.spec.normalisation.mean) == 6
    wide = timm.create_model(
        "resnet18.a1_in1k", in_chans=6, pretrained=True, num_classes=0,
        pretrained_cfg_overlay={"state_dict": rgb.state_dict()},
    ).eval()  # fmt: skip
    seen = backbone.spec.normalisation
    image = (batch.image[:, 0] / 0.3 - torch.tensor(seen.mean).view(-1, 1, 1)) / torch.tensor(seen.std).view(
        -1, 1, 1
    )
    with torch.inference_mode():
        theirs = wide.forward_intermediates(image, indices=[2], intermediates_only=True)[0]
    assert torch.allclose(backbone.embed(batch, [2]).maps[0], theirs.permute(0, 2, 3, 1), atol=1e-5)


def test_all_bands_without_bands_is_refused() -> None:
    with pytest.raises(BackboneError, match="takes its bands from the scene"):
        build(card("timm/resnet18"), "random", FLOAT32, {"input": "all_bands"})


def test_a_dinov3_checkpoint_in_metas_layout_loads_whole(
    make_batch: Callable[..., Batch], tmp_path: Path
) -> None:
    spec = card(SMALL_DINOV3)
    random = build(spec, "random", FLOAT32, seed=5)
    torch.manual_seed(5)
    ours = timm.create_model(SMALL_DINOV3, num_classes=0).state_dict()
    theirs = {
        key.replace("reg_token", "storage_tokens")
        .replace("gamma_1", "ls1.gamma")
        .replace("gamma_2", "ls2.gamma"): value
        for key, value in ours.items()
    }
    theirs["mask_token"] = torch.zeros(1, 384)
    theirs["rope_embed.periods"] = torch.ones(16)
    path = tmp_path / str(spec.config["meta_file"])
    torch.save(theirs, path)
    loaded = build(spec, str(path), FLOAT32)
    batch = make_batch(1, 64, 64)
    assert loaded.weights_sha256 == file_sha256(path) and random.weights_sha256 == "random"
    assert torch.allclose(loaded.embed(batch, [-1]).maps[0], random.embed(batch, [-1]).maps[0], atol=1e-5)


def test_a_checkpoint_that_lacks_a_tensor_is_refused(tmp_path: Path) -> None:
    state = timm.create_model("resnet18", num_classes=1000).state_dict()
    del state["layer3.0.conv1.weight"]
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"layer3\.0\.conv1\.weight"):
        build(card("timm/resnet18"), str(tmp_path / "w.pt"), FLOAT32)


def test_the_embedded_imagenet_network_tells_places_apart(virginia: Batch) -> None:
    """Pretrained weights in the right places give features that differ more than random weights' do."""
    backbone = build(card("efficientnet_lite0"), "pretrained", FLOAT32)
    torch.manual_seed(0)
    model = timm.create_model("tf_efficientnet_lite0", num_classes=1000).eval()
    assert backbone.weights_sha256 == backbone.spec.weights.sha256
    image = torch.zeros(1, 3, 224, 224)
    with torch.inference_mode():
        random_spread = model.forward_features(image).std()
    trained = backbone.embed(virginia, [-1]).maps[0]
    assert bool(torch.isfinite(trained).all()) and float(trained.std()) > float(random_spread)


@pytest.mark.parametrize("spec", DINOV3_CARDS, ids=lambda spec: spec.name)
def test_dinov3_cards_state_what_timm_builds(spec: object) -> None:
    name = spec.name  # type: ignore[attr-defined]
    made = card(f"timm/{name}")
    for fact in ("dim", "depth", "parameters", "patch_px", "chip_px", "pooling", "bands"):
        assert getattr(spec, fact) == getattr(made, fact), fact
    assert (spec.normalisation.mean, spec.normalisation.std) == (
        made.normalisation.mean,
        made.normalisation.std,
    )  # type: ignore[attr-defined]
    assert (spec.weights.repo, spec.weights.file) == (made.weights.repo, made.weights.file)  # type: ignore[attr-defined]


def test_lite0_card_states_what_timm_builds() -> None:
    spec, made = card("efficientnet_lite0"), card("timm/tf_efficientnet_lite0")
    for fact in ("dim", "depth", "parameters", "layer_strides", "layer_dims", "chip_px"):
        assert getattr(spec, fact) == getattr(made, fact), fact


def test_a_model_of_one_size_says_so(make_batch: Callable[..., Batch]) -> None:
    spec = dataclasses.replace(card("timm/beit_base_patch16_224"))
    with pytest.raises(BackboneError, match=r"takes chips of 224 px, not of 64 x 64"):
        build(spec, "random", FLOAT32).embed(make_batch(1, 64, 64), [0])


@pytest.mark.parametrize("name", ["timm/resnet19", "timm/resnet18.no_such_tag"])
def test_an_unknown_timm_model_names_the_nearest(name: str) -> None:
    with pytest.raises(BackboneError, match=r"did you mean 'resnet1"):
        card(name)


def test_several_dates_are_refused_with_the_setting_that_joins_them(make_batch: Callable[..., Batch]) -> None:
    with pytest.raises(BackboneError, match=r"one date at a time; the batch has 2\. Set backbone\.temporal"):
        build(card("timm/resnet18"), "random", FLOAT32).embed(make_batch(1, 64, 64, dates=2), [0])
