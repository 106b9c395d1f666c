"""A torchgeo weight as a backbone: bands in its numbers, layers as timm's models hand them out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from engine.backbones.core.batch import Backbone, Batch
from engine.backbones.core.batch_checks import one_date, pick_bands
from engine.backbones.core.pixels import standardised
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.constructor import argument
from engine.backbones.parts.radar import in_radar_unit
from engine.backbones.timm.encoder import IntermediatesBackbone
from engine.backbones.torchgeo.networks import network
from engine.backbones.weights.checkpoint import require_same_tensors
from engine.errors import WeightsError

# What files hold besides an encoder, and what torchgeo lets them lack (its models/vit.py, KEYS).
_HEADS = ("fc.", "head.", "s1_GAP_FFN.", "s2_GAP_FFN.")
_NORM = ("norm.weight", "norm.bias")
_FIRST_LAYERS = ("conv1.weight", "patch_embed.proj.weight", "features.0.0.weight")


def encoder(spec: BackboneSpec) -> nn.Module:
    """The network of a settled card without its classifier, with random weights."""
    img_size = spec.config["img_size"]
    return network(
        argument(spec.config, "model", str), len(spec.bands), None if img_size is None else int(str(img_size)),
        [str(name) for name in argument(spec.config, "modalities", list)],
    )  # fmt: skip


def load(spec: BackboneSpec, state: Mapping[str, torch.Tensor]) -> nn.Module:
    """The network with a checkpoint's tensors, as torchgeo loads them; of the first layer the bands of the card.

    Raises:
        WeightsError: the checkpoint is of another model or of other bands.
    """
    with torch.device("meta"):
        module = encoder(spec)
    inner = getattr(module, "network", module)
    expected = inner.state_dict()
    found = _of_networks(spec, state)
    found = _of_bands(spec, {key: value for key, value in found.items() if not key.startswith(_HEADS)})
    absent = [key for key in _NORM if key in expected and key not in found]
    fresh = {
        key: (torch.ones if key == "norm.weight" else torch.zeros)(expected[key].shape) for key in absent
    }
    require_same_tensors(spec.name, expected, {**found, **fresh})
    inner.load_state_dict({**found, **fresh}, assign=True)
    return module


def wrap(spec: BackboneSpec, module: nn.Module, weights_sha256: str, settings: Mapping[str, str]) -> Backbone:
    """The network as a backbone that standardises from its card."""
    seen, is_cut = spec.normalisation, bool(spec.config["is_cut"])

    def standard(batch: Batch) -> torch.Tensor:
        """(B, C, H, W), 0 where a pixel is missing."""
        image = pick_bands(batch, spec.bands, spec.name)
        if "radar_values" in settings:
            image = in_radar_unit(image, spec.bands, batch, settings["radar_values"], "db")
        image, valid = one_date(image, batch.valid, spec.name)
        values = standardised(image, seen.mean, seen.std, valid)
        return values.clamp_(0.0, 1.0) if is_cut else values

    return IntermediatesBackbone(spec, module, weights_sha256, settings, standard)


def _of_networks(spec: BackboneSpec, state: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """Of a file with several networks, as CROMA's, those that the card runs."""
    modalities = argument(spec.config, "modalities", list)
    if not any(key.startswith("s2_encoder.") for key in state):
        return state
    wanted = {"sar": ("s1_",), "optical": ("s2_",)}
    kept = [start for name in modalities for start in wanted[str(name)]]
    if len(modalities) == 2:
        kept.append("joint_encoder.")
    return {key: value for key, value in state.items() if key.startswith(tuple(kept))}


def _of_bands(spec: BackboneSpec, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The state with the bands of the card in its first layer."""
    every = spec.config.get("checkpoint_bands")
    if not isinstance(every, tuple):
        return state
    first = next((key for key in _FIRST_LAYERS if key in state), None)
    if first is None or state[first].shape[1] != len(every):
        raise WeightsError(
            f"The checkpoint of {spec.name} has no first layer of {len(every)} bands. Give the checkpoint of this very model."
        )
    return {**state, first: state[first][:, [every.index(band) for band in spec.bands]]}
