"""Weights of torchgeo's registry: their bands and numbers, files of the real form, and what is refused by name."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchgeo import models
from torchgeo.models import resnet
from torchgeo.models.croma import get_2dalibi

from engine.backbones import cards
from engine.backbones.build import build
from engine.backbones.core.batch import Batch
from engine.backbones.core.device import choose
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.families import family_of
from engine.backbones.torchgeo.bands import numbers_of
from engine.backbones.torchgeo.networks import alibi
from engine.backbones.torchgeo.weight_facts import numbers, registered
from engine.backbones.weights import locate
from engine.errors import BackboneError, EngineError, MissingBand, WeightsError

DECUR = "ResNet50_Weights.SENTINEL2_ALL_DECUR"
RGB = "ResNet18_Weights.SENTINEL2_RGB_MOCO"
CROMA, CROMA_PX = "CROMABase_Weights.CROMA_VIT", 40
CPU = choose("cpu", torch.float32)
# One of each form: plain scale, statistics, decibels, colours of 8 bits, both, Landsat's 8 bits; ResNet, ViT, Swin.
FORMS = (
    RGB, "ResNet18_Weights.LANDSAT_ETM_SR_MOCO", "ViTSmall16_Weights.SENTINEL1_GRD_MAE",
    "ViTSmall14_DINOv2_Weights.SENTINEL2_ALL_SOFTCON", "Swin_V2_T_Weights.SENTINEL2_SI_MS_SATLAS",
)  # fmt: skip


def every_weight() -> list[str]:
    found: list[str] = []
    for model in models.list_models():
        try:
            found += [str(weight) for weight in models.get_model_weights(model)]
        except KeyError:
            continue
    return found


def published(name: str) -> tuple[Any, dict[str, Any]]:
    """torchgeo's own network with random weights, and the state that its file would hold."""
    weight = models.get_weight(name)
    model = next(m for m in models.list_models() if has(m, name))
    torch.manual_seed(1)
    if model.startswith("croma"):
        with torch.device("meta"):
            network = models.get_model(model, image_size=8)
        network = network.to_empty(device="cpu").eval()
        noise = 0.02 * torch.randn(10_007)
        for parameter in network.parameters():
            parameter.data.copy_(
                noise.repeat(parameter.numel() // len(noise) + 1)[: parameter.numel()].view_as(parameter)
            )
        network.attn_bias = get_2dalibi(16, (CROMA_PX // 8) ** 2)
        parts = ("s1_encoder", "s1_GAP_FFN", "s2_encoder", "s2_GAP_FFN", "joint_encoder")
        return network, {part: getattr(network, part).state_dict() for part in parts}
    options = {key: weight.meta[key] for key in ("img_size",) if key in weight.meta}
    if model.startswith("swin"):
        network = models.get_model(model)
        network.features[0][0] = torch.nn.Conv2d(weight.meta["in_chans"], 96, 4, 4)
    else:
        network = models.get_model(model, in_chans=weight.meta["in_chans"], **options)
    return network.eval(), dict(network.state_dict())


def has(model: str, name: str) -> bool:
    try:
        return name in [str(weight) for weight in models.get_model_weights(model)]
    except KeyError:
        return False


def batch_of(spec: BackboneSpec, side: int, bands: tuple[str, ...] = ()) -> Batch:
    """Reflectances and decibels as a scene has them."""
    named = bands or spec.bands
    rng = np.random.default_rng(0)
    image = rng.uniform(0.01, 0.4, (2, 1, len(named), side, side)).astype(np.float32)
    for index, band in enumerate(named):
        if band in ("vv", "vh"):
            image[:, :, index] = rng.normal(-15, 4, image.shape[-2:])
    units = tuple("sigma0, decibels" if band in ("vv", "vh") else "reflectance" for band in named)
    return Batch(
        torch.from_numpy(image), torch.ones(2, 1, side, side, dtype=torch.bool), named, (None,) * len(named), 10.0,
        [[None], [None]], units=units,
    )  # fmt: skip


def in_training(name: str, spec: BackboneSpec, batch: Batch) -> torch.Tensor:
    """The image as torchgeo's transforms leave it, made from the numbers that its training images had."""
    image = batch.image[:, 0].clone()
    weight = models.get_weight(name)
    if "SATLAS" in name:
        image[:, :3] *= 255 / 0.3558
        image[:, 3:] *= 1e4
    elif "LANDSAT" in name:
        image *= 256 / 0.3
    elif "SENTINEL1" not in name:
        image *= 1e4
    steps = [step for step in weight.transforms if type(step).__name__ == "Normalize"]
    for step in steps:
        image = step(image.clone())
    return image.clamp(0, 1) if "SATLAS" in name or "LANDSAT" in name else image


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def save(state: dict[str, Any]) -> Path:
        torch.save(state, tmp_path / "weights.pth")
        return tmp_path / "weights.pth"

    return save


def test_each_weight_of_the_registry_has_numbers_or_is_refused_with_a_reason() -> None:
    refused: dict[str, str] = {}
    fitting = []
    for name in every_weight():
        try:
            model, weight = registered(name)
            if not model.startswith("croma"):
                numbers_of(name.partition(".")[2], **numbers(name, model, weight))
        except BackboneError as err:
            refused[name] = str(err)
            continue
        fitting.append(name)
    assert len(fitting) > 50
    assert {DECUR, CROMA, *FORMS} <= set(fitting)
    assert all(text.endswith(".") and len(text) > 60 for text in refused.values())
    for name, words in (
        ("ResNet18_Weights.LANDSAT_TM_TOA_MOCO", "reads B1"), ("Unet_Weights.SENTINEL2_2CLASS_FTW", "unet is not run here"),
        ("ResNet18_Weights.SENTINEL2_RGB_SECO", "SeCo"), ("ResNet50_Weights.SENTINEL1_GRD_CLOSP", "radar backscatter"),
        ("ResNet50_Weights.SENTINEL2_ALL_NDVI_SECO_ECO", "NDVI"), ("DOFABase16_Weights.DOFA_MAE", "dofa_base"),
    ):  # fmt: skip
        assert words in refused[name]


@pytest.mark.parametrize("name", FORMS)
def test_a_file_of_the_real_form_gives_the_embeddings_that_torchgeo_s_own_network_gives(
    name: str, saved: Callable[[dict[str, Any]], Path]
) -> None:
    network, state = published(name)
    backbone = build(cards.card(f"torchgeo/{name}"), str(saved(state)), CPU)
    spec = backbone.spec
    batch = batch_of(spec, 224 if "ViT" in name else 64)
    last = spec.depth - 1
    found = backbone.embed(batch, [last]).maps[0]
    image = in_training(name, spec, batch)
    with torch.no_grad():
        if "Swin" in name:
            wanted = network.norm(network.features(image))
        elif "ViT" in name:
            wanted = network.forward_features(image)[:, 1:].reshape(found.shape)
        else:
            wanted = network.forward_features(image).permute(0, 2, 3, 1)
    assert found.shape == wanted.shape
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))


def test_croma_runs_its_optical_encoder_its_radar_encoder_or_both() -> None:
    network, parts = published(CROMA)
    state = {f"{part}.{key}": value for part, tensors in parts.items() for key, value in tensors.items()}
    for chosen, depth in (("optical", 12), ("radar", 6), ("both", 6)):
        settings = {"input": chosen, "radar_values": "db"}
        spec = cards.resolve(cards.card(f"torchgeo/{CROMA}"), settings, None)
        adapter = family_of(spec).adapter()
        backbone = adapter.wrap(spec, adapter.load(spec, state), "", settings)
        assert spec.depth == depth
        batch = batch_of(spec, CROMA_PX)
        means, stds = (torch.tensor(values).view(-1, 1, 1) for values in stretched(spec))
        image = ((batch.image[:, 0] - means) / stds).clamp(0, 1)
        with torch.no_grad():
            match chosen:
                case "optical":
                    wanted = network.s2_encoder(imgs=image, attn_bias=network.attn_bias)
                case "radar":
                    wanted = network.s1_encoder(imgs=image, attn_bias=network.attn_bias)
                case _:
                    wanted = network(x_sar=image[:, :2], x_optical=image[:, 2:])["joint_encodings"]
        found = backbone.embed(batch, [-1]).maps[0]
        torch.testing.assert_close(found, wanted.reshape(found.shape), rtol=1e-3, atol=1e-3)


def stretched(spec: BackboneSpec) -> tuple[list[float], list[float]]:
    """Two deviations below the mean of SSL4EO-S12 and four deviations, as reflectance and decibels."""
    optical = [i for i in range(13) if i != 10]  # without cirrus
    mean = [resnet._mean_s2[i] / 1e4 for i in optical], resnet._mean_s1
    std = [resnet._std_s2[i] / 1e4 for i in optical], resnet._std_s1
    both = {12: (mean[0], std[0]), 2: (mean[1], std[1]), 14: (mean[1] + mean[0], std[1] + std[0])}[
        len(spec.bands)
    ]
    return [m - 2 * s for m, s in zip(*both, strict=True)], [4 * s for s in both[1]]


def test_alibi_is_torchgeo_s() -> None:
    torch.testing.assert_close(alibi(5), get_2dalibi(16, 25))


def test_bands_that_the_scene_lacks_drop_from_the_first_layer_only_if_asked(
    saved: Callable[[dict[str, Any]], Path],
) -> None:
    name, have = (
        "ViTSmall16_Weights.SENTINEL2_ALL_DINO",
        ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2"),
    )
    card = cards.card(f"torchgeo/{name}")
    assert len(cards.missing_bands(cards.resolve(card, {}, have), have)) == 7
    path = str(saved(published(name)[1]))
    full = build(card, path, CPU)
    part = build(card, path, CPU, settings={"bands": "available"}, bands=have)
    assert part.spec.bands == have
    batch = batch_of(full.spec, 64)
    indices = [full.spec.bands.index(band) for band in have]
    seen = batch_of(part.spec, 64)
    with_zeros = torch.zeros_like(batch.image)  # this weight's mean is 0: reflectance 0 adds nothing
    with_zeros[:, :, indices] = seen.image
    torch.testing.assert_close(
        part.embed(seen, [-1]).maps[0],
        full.embed(Batch(with_zeros, batch.valid, batch.bands, batch.wavelengths_um, 10.0, batch.datetimes), [-1]).maps[0],
        rtol=1e-4, atol=1e-4,
    )  # fmt: skip
    with pytest.raises(MissingBand):
        full.embed(seen, [-1])


def test_the_reflectance_that_is_white_decides_the_numbers_of_8_bit_colours() -> None:
    card = cards.card("torchgeo/Swin_V2_T_Weights.SENTINEL2_SI_MS_SATLAS")
    usual, brighter = (cards.resolve(card, {"rgb_white": white}, None) for white in ("0.3558", "0.2"))
    assert usual.normalisation.std[0] == pytest.approx(0.3558)
    assert brighter.normalisation.std[0] == pytest.approx(0.2)
    assert usual.normalisation.std[3:] == brighter.normalisation.std[3:] == pytest.approx((0.816,) * 6)


def test_a_file_is_the_right_one_by_the_digits_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = cards.card(f"torchgeo/{DECUR}")
    assert spec.weights.sha256 == "fc6b09ff"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / spec.weights.file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"another file")
    assert locate.present(spec) == path
    with pytest.raises(WeightsError, match="fc6b09ff"):
        locate.check(spec, path)
    digits = hashlib.sha256(b"another file").hexdigest()
    object.__setattr__(spec.weights, "sha256", digits[:8])
    try:
        assert locate.check(spec, path) == digits
    finally:
        object.__setattr__(spec.weights, "sha256", "fc6b09ff")


def test_a_checkpoint_of_other_bands_is_refused(saved: Callable[[dict[str, Any]], Path]) -> None:
    with pytest.raises(WeightsError, match=r"conv1\.weight \(64, 3, 7, 7\)"):
        build(cards.card("torchgeo/ResNet18_Weights.SENTINEL2_ALL_MOCO"), str(saved(published(RGB)[1])), CPU)


def test_a_name_that_torchgeo_does_not_have_names_the_nearest() -> None:
    with pytest.raises(BackboneError, match="SENTINEL2_ALL_MOCO"):
        cards.card("torchgeo/ResNet50_Weights.SENTINEL2_ALL_MOC")


def test_without_torchgeo_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchgeo", None)
    with pytest.raises(EngineError, match=r"pip install -r requirements-torchgeo\.txt"):
        cards.card("torchgeo/ResNet152_Weights.SENTINEL2_MI_MS_SATLAS")
