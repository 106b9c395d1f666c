"""From a card to a backbone that embeds: find the weights, build the encoder, load, place on the device."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.backbones import cards
from engine.backbones.core.device import Device, OnDevice
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.weights import locate as weights
from engine.backbones.weights.checkpoint import open_state
from engine.backbones.weights.download import Progress


def build(
    spec: BackboneSpec,
    weights_from: str,
    device: Device,
    settings: Mapping[str, str] | None = None,
    seed: int = 0,
    bands: Sequence[str] | None = None,
    on_progress: Progress | None = None,
) -> OnDevice:
    """The backbone of a card, frozen, on a device.

    Args:
        weights_from: "pretrained", "random" (drawn from `seed`), or a checkpoint's path.
        settings: see the card; those left out keep their defaults.
        bands: common names of the scene's bands, for backbones that take what there is.
        on_progress: called with bytes so far and in all while weights are fetched.

    Returns:
        A backbone whose `spec` is the card with settings and bands settled: its patch and width are the
        ones to plan with. It takes batches from the CPU and gives float32 on the CPU.

    Raises:
        BackboneError: a setting or band that the backbone cannot use.
        WeightsError: weights that are absent, altered or of another model.
    """
    chosen = cards.settle(spec, settings or {})
    settled = cards.resolve(spec, chosen, bands)
    if settled.family == "raw":
        from engine.backbones.raw.encoder import RawBackbone

        return OnDevice(RawBackbone(settled), None, device)
    family = _family(settled)
    if weights_from == "random":
        with _seeded(seed):
            module, sha256 = family.encoder(settled), "random"
    else:
        path = weights.obtain(
            settled, None if weights_from == "pretrained" else Path(weights_from), on_progress
        )
        sha256 = weights.check(settled, path, is_given=weights_from != "pretrained")
        module = _loaded(settled, open_state(path))
    if settled.family == "terramind":
        _attach_tokenizers(settled, module, weights_from, seed)
    module = module.eval().requires_grad_(False)
    return OnDevice(family.wrap(settled, module, sha256, chosen), module, device)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's initialisers draw from the global generator: it is seeded inside and left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _loaded(spec: BackboneSpec, state: dict[str, torch.Tensor]) -> nn.Module:
    """The encoder with a checkpoint's weights, loaded strictly."""
    if spec.family in ("timm", "dinov3"):
        from engine.backbones.timm import encoder as timm_any

        return timm_any.encoder_with(spec, state)
    family = _family(spec)
    module: nn.Module = family.encoder(spec)
    module.load_state_dict(family.official_to_encoder(state, spec), strict=True)
    return module


def _attach_tokenizers(spec: BackboneSpec, module: Any, weights_from: str, seed: int) -> None:
    """The tokenizers that TerraMind reads land cover and vegetation index through.

    They come from where the encoder comes from: drawn, fetched, or beside a given checkpoint.
    """
    from engine.backbones.terramind import backbone as terramind_backbone
    from engine.backbones.terramind import tokenizer as terramind_tokenizer

    for modality, card in terramind_backbone.companions(spec).items():
        if weights_from == "random":
            with _seeded(seed):
                tokenizer = terramind_tokenizer.encoder(card)
        else:
            beside = Path(weights_from).parent / card.weights.file
            is_given = weights_from != "pretrained" and beside.is_file()
            path = weights.obtain(card, beside if is_given else None)
            weights.check(card, path, is_given=is_given)
            tokenizer = terramind_tokenizer.encoder(card)
            tokenizer.load_state_dict(terramind_tokenizer.official_to_encoder(open_state(path), card))
        terramind_backbone.attach(module, {modality: tokenizer})


def _family(spec: BackboneSpec) -> Any:
    """The adapter's module: `encoder`, `official_to_encoder`, `wrap`."""
    match spec.family:
        case "csmask":
            from engine.backbones.csmask import encoder as family
        case "timm" | "dinov3":
            from engine.backbones.timm import encoder as family  # type: ignore[no-redef]
        case "prithvi":
            from engine.backbones.prithvi import encoder as family  # type: ignore[no-redef]
        case "terramind":
            from engine.backbones.terramind import backbone as family  # type: ignore[no-redef]
        case "clay":
            from engine.backbones.clay import encoder as family  # type: ignore[no-redef]
        case "dofa":
            from engine.backbones.dofa import encoder as family  # type: ignore[no-redef]
        case "raw":
            raise AssertionError("raw pixels have no encoder")
    return family
