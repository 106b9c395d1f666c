"""Outputs of our TerraMind encoder and tokenizers for a golden case, under the reference's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.backbones.parts.golden_outputs import (
    Facts,
    Inputs,
    Outputs,
    State,
    case_card,
    feature_map,
    lower,
    need,
    trunk_outputs,
)
from engine.backbones.terramind import tokenizer
from engine.backbones.terramind.cards import CARDS, TOKENIZERS
from engine.backbones.terramind.encoder import encoder, merged, official_to_encoder
from engine.backbones.terramind.modalities import MODALITIES
from engine.errors import BackboneError


def run(facts: Facts, state: State, inputs: Inputs) -> Outputs:
    """The outputs that a case of the encoder may ask for."""
    modalities = [str(name) for name in facts["model"].get("modalities") or facts["input_order"]]
    names = tuple(facts.get("input_order") or modalities)
    bands = _bands_by_modality(facts.get("bands") or facts["model"].get("bands"), modalities)
    spec = case_card(CARDS, facts, {"modalities": modalities, "modality_bands": bands})
    module = encoder(spec).eval()
    module.load_state_dict(official_to_encoder(state, spec))
    given = {name: need(inputs, name) for name in names if name in inputs or len(names) == 1}
    if not given:
        raise BackboneError(
            f"The case has no input for {', '.join(names)}; it has {', '.join(inputs)}. Add them to its npz."
        )
    tokens, counts = module.tokens_in(given)
    outputs = trunk_outputs(module.encoder, module.encoder_norm, tokens)
    grid = module.grid_of(given)
    for how in ("mean", "max", "concat"):
        outputs[f"out_tokens_{how}"] = lambda how=how: merged(outputs["out_tokens"](), counts, how)  # type: ignore[misc]
        outputs[f"out_featmap_{how}"] = lambda how=how: feature_map(outputs[f"out_tokens_{how}"](), 0, grid)  # type: ignore[misc]
    outputs["out_featmap"] = outputs["out_featmap_mean"]
    return outputs


def _bands_by_modality(bands: object, modalities: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A band subset as modality -> common names; a plain list is the first modality's that has them."""
    if not bands:
        return {}
    if isinstance(bands, Mapping):
        return {str(name): lower(names) for name, names in bands.items() if names}
    names = lower([str(band) for band in bands]) if isinstance(bands, list) else ()
    for modality in modalities:
        if names and set(names) <= set(MODALITIES[modality].bands):
            return {modality: names}
    raise BackboneError(
        f"The case's bands {bands!r} belong to none of {', '.join(modalities)}. Name bands that one of them has."
    )


def run_tokenizer(facts: Facts, state: State, inputs: Inputs) -> Outputs:
    """The outputs that a case of a tokenizer may ask for."""
    spec = case_card(tuple(TOKENIZERS.values()), facts)
    module = tokenizer.encoder(spec).eval()
    module.load_state_dict(tokenizer.official_to_encoder(state, spec))
    image = inputs["map"] if "map" in inputs else need(inputs, "image")
    encoded = module.encode(image)
    return {
        "out_encoder_map": lambda: encoded.encoder_map,
        "out_latent": lambda: encoded.latent,
        "out_code": lambda: encoded.code,
        "out_token_ids": encoded.token_ids.float,
    }
