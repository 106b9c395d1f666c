"""Our outputs for a golden case, under the reference's names, family by family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from engine.backbones.clay import encoder as clay
from engine.backbones.clay.cards import CARDS as CLAY
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.dofa import encoder as dofa
from engine.backbones.dofa.cards import CARDS as DOFA
from engine.backbones.prithvi import encoder as prithvi
from engine.backbones.prithvi.cards import CARDS as PRITHVI
from engine.backbones.terramind import encoder as terramind
from engine.backbones.terramind import tokenizer as terramind_tokenizer
from engine.backbones.terramind.cards import CARDS as TERRAMIND
from engine.backbones.terramind.cards import TOKENIZERS
from engine.backbones.terramind.modalities import MODALITIES
from engine.backbones.timm.dinov3_golden import DinoReference
from engine.errors import BackboneError, WeightsError

Facts = Mapping[str, Any]
State = dict[str, torch.Tensor]
Outputs = dict[str, torch.Tensor]


@torch.no_grad()
def reproduce(
    facts: Facts, weights: Path, inputs: Mapping[str, np.ndarray[Any, Any]], wanted: Sequence[str]
) -> dict[str, np.ndarray[Any, Any]]:
    """Outputs of our encoder for one case.

    Args:
        facts: the case's JSON: "family", "model" (constructor arguments), "checkpoint", "bands" and so on.
        weights: the case's safetensors file.
        inputs: the `in_*` arrays.
        wanted: names of the `out_*` arrays to make.

    Raises:
        BackboneError: the family is unknown, an input is absent or an output has a name we cannot make.
        WeightsError: the weights are not the encoder's.
    """
    runners: dict[str, Callable[[Facts, State, Outputs], dict[str, Callable[[], torch.Tensor]]]] = {
        "prithvi": _prithvi,
        "terramind": _terramind,
        "terramind_tokenizer": _tokenizer,
        "clay": _clay,
        "dofa": _dofa,
        "dinov3": _dinov3,
    }
    family = str(facts.get("family"))
    if family not in runners:
        raise BackboneError(
            f"a family of {', '.join(runners)} was wanted; the case says {family!r}. Mend its JSON."
        )
    tensors = {name.removeprefix("in_"): torch.from_numpy(np.asarray(a)) for name, a in inputs.items()}
    makers = runners[family](facts, _open(weights), tensors)
    unknown = [name for name in wanted if name not in makers]
    if unknown:
        raise BackboneError(
            f"{family} gives {', '.join(makers)}; the case wants {', '.join(unknown)}. Mend its names."
        )
    return {name: makers[name]().numpy() for name in wanted}


def _open(weights: Path) -> State:
    try:
        state = load_file(weights)
    except (SafetensorError, OSError) as err:
        raise WeightsError(
            f"safetensors were wanted; {weights.name} cannot be read: {err}. Copy it again."
        ) from err
    return {key: t.float() if t.is_floating_point() else t for key, t in state.items()}


def _card(
    cards: Sequence[BackboneSpec], facts: Facts, more: Mapping[str, object] | None = None, **changes: Any
) -> BackboneSpec:
    """A card of the family with the case's own constructor arguments (and `more`) and name."""
    config = {**facts["model"], **(more or {})}
    return replace(
        cards[0], name=str(facts.get("case", "case")), config=config, depth=int(config["depth"]), **changes
    )


def _lower(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _need(inputs: Outputs, name: str) -> torch.Tensor:
    if name not in inputs:
        raise BackboneError(
            f"the input in_{name} was wanted; the case has {', '.join(inputs) or 'none'}. Add it."
        )
    return inputs[name]


def _trunk_outputs(
    blocks: nn.ModuleList, norm: nn.Module | None, tokens: torch.Tensor
) -> dict[str, Callable[[], torch.Tensor]]:
    """out_embed, out_layerN (no norm) and out_tokens (final norm where the family has one)."""
    states = [tokens]
    for block in blocks:
        states.append(block(states[-1]))
    last = states[-1] if norm is None else norm(states[-1])
    makers: dict[str, Callable[[], torch.Tensor]] = {"out_embed": lambda: tokens, "out_tokens": lambda: last}
    for index, state in enumerate(states[1:]):
        makers[f"out_layer{index}"] = lambda state=state: state  # type: ignore[misc]
    return makers


def _feature_map(tokens: torch.Tensor, prefix: int, grid: tuple[int, int]) -> torch.Tensor:
    """(B, prefix + T*h*w, D) -> (B, T*D, h, w), time-major."""
    patches = tokens[:, prefix:].reshape(len(tokens), -1, *grid, tokens.shape[-1])  # (B, T, h, w, D)
    return patches.permute(0, 1, 4, 2, 3).flatten(1, 2).contiguous()


def _prithvi(facts: Facts, state: State, inputs: Outputs) -> dict[str, Callable[[], torch.Tensor]]:
    known = facts.get("checkpoint", {}).get("bands") or facts.get("bands") or PRITHVI[0].bands
    used = facts.get("bands") or facts["model"].get("bands") or known
    spec = _card(PRITHVI, facts, {"checkpoint_bands": _lower(known)}, bands=_lower(used))
    module = prithvi.encoder(spec).eval()
    module.load_state_dict(prithvi.official_to_encoder(state, spec))
    image = _need(inputs, "image").float()
    image = image[:, :, None] if image.ndim == 4 else image
    time, place = inputs.get("temporal_coords"), inputs.get("location_coords")
    patch = module.patch_px
    grid = (image.shape[-2] // patch, image.shape[-1] // patch)
    makers = _trunk_outputs(module.blocks, module.norm, module.tokens_in(image, time, place))
    last = len(module.blocks) - 1
    for name, coordinates in {
        "time_only": (time, None), "location_only": (None, place), "none": (None, None)
    }.items():  # fmt: skip
        makers[f"out_{name}_tokens"] = lambda c=coordinates: module(image, [last], *c)[last]  # type: ignore[misc]
    makers["out_featmap"] = lambda: _feature_map(makers["out_tokens"](), 1, grid)
    return makers


def _terramind(facts: Facts, state: State, inputs: Outputs) -> dict[str, Callable[[], torch.Tensor]]:
    modalities = [str(name) for name in facts["model"].get("modalities") or facts["input_order"]]
    names = tuple(facts.get("input_order") or modalities)
    bands = _bands_by_modality(facts.get("bands") or facts["model"].get("bands"), modalities)
    spec = _card(TERRAMIND, facts, {"modalities": modalities, "modality_bands": bands})
    module = terramind.encoder(spec).eval()
    module.load_state_dict(terramind.official_to_encoder(state, spec))
    given = {name: _need(inputs, name) for name in names if name in inputs or len(names) == 1}
    if not given:
        raise BackboneError(
            f"inputs for {', '.join(names)} were wanted; the case has {', '.join(inputs)}. Add them."
        )
    tokens, counts = module.tokens_in(given)
    makers = _trunk_outputs(module.encoder, module.encoder_norm, tokens)
    grid = module.grid_of(given)
    for how in ("mean", "max", "concat"):
        makers[f"out_tokens_{how}"] = lambda how=how: terramind.merged(makers["out_tokens"](), counts, how)  # type: ignore[misc]
        makers[f"out_featmap_{how}"] = lambda how=how: _feature_map(makers[f"out_tokens_{how}"](), 0, grid)  # type: ignore[misc]
    makers["out_featmap"] = makers["out_featmap_mean"]
    return makers


def _bands_by_modality(bands: object, modalities: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A band subset as modality -> common names; a plain list is the first modality's that has them."""
    if not bands:
        return {}
    if isinstance(bands, Mapping):
        return {str(name): _lower(names) for name, names in bands.items() if names}
    names = _lower([str(band) for band in bands]) if isinstance(bands, list) else ()
    for modality in modalities:
        if names and set(names) <= set(MODALITIES[modality].bands):
            return {modality: names}
    raise BackboneError(
        f"bands of {', '.join(modalities)} were wanted, found {bands!r}. Name bands that one has."
    )


def _tokenizer(facts: Facts, state: State, inputs: Outputs) -> dict[str, Callable[[], torch.Tensor]]:
    spec = _card(tuple(TOKENIZERS.values()), facts)
    module = terramind_tokenizer.encoder(spec).eval()
    module.load_state_dict(terramind_tokenizer.official_to_encoder(state, spec))
    image = inputs["map"] if "map" in inputs else _need(inputs, "image")
    encoded = module.encode(image)
    return {
        "out_encoder_map": lambda: encoded.encoder_map,
        "out_latent": lambda: encoded.latent,
        "out_code": lambda: encoded.code,
        "out_token_ids": encoded.token_ids.float,
    }


def _clay(facts: Facts, state: State, inputs: Outputs) -> dict[str, Callable[[], torch.Tensor]]:
    spec = _card(CLAY, facts)
    module = clay.encoder(spec).eval()
    module.load_state_dict(clay.official_to_encoder(state, spec))
    image = _need(inputs, "image").float()
    waves = inputs["waves"] if "waves" in inputs else _need(inputs, "wavelengths")
    gsd = float(inputs["gsd"]) if "gsd" in inputs else 1.0
    tokens = module.tokens_in(image, waves.float(), gsd, inputs.get("time"), inputs.get("latlon"))
    makers = _trunk_outputs(module.blocks, module.norm, tokens)
    makers["out_featmap"] = lambda: _feature_map(makers["out_tokens"](), 1, module.patch_embed.grid(image))
    return makers


def _dofa(facts: Facts, state: State, inputs: Outputs) -> dict[str, Callable[[], torch.Tensor]]:
    spec = _card(DOFA, facts)
    module = dofa.encoder(spec).eval()
    module.load_state_dict(dofa.official_to_encoder(state, spec))
    image = _need(inputs, "image").float()
    waves = inputs["wavelengths"] if "wavelengths" in inputs else _need(inputs, "waves")
    makers = _trunk_outputs(module.blocks, None, module.tokens_in(image, waves.float()))
    makers["out_featmap"] = lambda: _feature_map(makers["out_tokens"](), 1, module.patch_embed.grid(image))
    return makers


def _dinov3(facts: Facts, state: State, inputs: Outputs) -> dict[str, Callable[[], torch.Tensor]]:
    reference = DinoReference(facts, state)
    image = _need(inputs, "image").float()
    tokens, blocks = reference.tokens_and_blocks(image)
    makers = _trunk_outputs(blocks, reference.model.norm, tokens)
    patch = reference.patch_px
    grid = (image.shape[-2] // patch, image.shape[-1] // patch)
    makers["out_featmap"] = lambda: _feature_map(makers["out_tokens"](), reference.prefix, grid)
    return makers
