"""Every name at full size, without its weights: our encoders take the official keys, no more, no less."""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import pytest
import torch

from engine.backbones import cards
from engine.backbones.clay import encoder as clay
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.dofa import encoder as dofa
from engine.backbones.prithvi import encoder as prithvi
from engine.backbones.terramind import encoder as terramind
from engine.backbones.terramind.modalities import MODALITIES
from engine.errors import WeightsError

GOLDEN = Path(__file__).parents[2] / "golden"
FAMILIES: dict[str, Any] = {"prithvi": prithvi, "terramind": terramind, "clay": clay, "dofa": dofa}
NAMES = [name for name, spec in cards.CARDS.items() if spec.family in FAMILIES]
FINGERPRINTS = json.loads((GOLDEN / "fingerprints.json").read_text())
QUICK = {"prithvi_eo_v2_tiny_tl", "terramind_v1_tiny"}


def _fill() -> ModuleType:
    path = GOLDEN / "deterministic_fill.py"
    found = importlib.util.spec_from_file_location("deterministic_fill", path)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


fill = _fill()


def _keys(name: str) -> dict[str, Any]:
    with gzip.open(GOLDEN / "keys" / f"{name}.json.gz") as file:
        return dict(json.load(file))


def _meta(shapes: dict[str, Any]) -> dict[str, torch.Tensor]:
    return {key: torch.empty(shape, device="meta") for key, (shape, _) in shapes.items()}


def _with_modalities(spec: BackboneSpec, *names: str) -> BackboneSpec:
    if spec.family != "terramind":
        return spec
    return replace(spec, config=MappingProxyType({**spec.config, "modalities": names}))


def test_the_table_has_every_name_of_the_geospatial_families() -> None:
    listed = {path.name.removesuffix(".json.gz") for path in (GOLDEN / "keys").glob("*.json.gz")}
    assert set(NAMES) == {name for name in listed if "dinov3" not in name}


@pytest.mark.parametrize("name", NAMES)
def test_the_official_checkpoint_fits_the_full_size_encoder(name: str) -> None:
    spec, keys = _with_modalities(cards.CARDS[name], *MODALITIES), _keys(name)
    official = _meta(keys["official_checkpoint"])
    with torch.device("meta"):
        module = FAMILIES[spec.family].encoder(spec)
    state = FAMILIES[spec.family].official_to_encoder(official, spec)
    module.load_state_dict(state, strict=True, assign=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_parameter_count_is_the_reference_encoders(name: str) -> None:
    spec = _with_modalities(cards.CARDS[name], "S2L2A", "S1GRD")
    index = {entry["name"]: entry for entry in json.loads((GOLDEN / "keys" / "index.json").read_text())}
    with torch.device("meta"):
        module = FAMILIES[spec.family].encoder(spec)
    count = sum(parameter.numel() for parameter in module.parameters())
    assert count == index[name]["encoder_parameters"] == spec.parameters


@pytest.mark.parametrize("name", ["prithvi_eo_v2_tiny_tl", "terramind_v1_tiny", "clay_v1_base", "dofa_base"])
def test_each_used_key_is_needed_and_a_stray_one_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, keys = _with_modalities(cards.CARDS[name], *MODALITIES), _keys(name)
    family = FAMILIES[spec.family]
    official = _meta(keys["official_checkpoint"])
    with torch.device("meta"):
        built = family.encoder(spec)
    monkeypatch.setattr(family, "encoder", lambda _: built)  # one build serves all refusals
    with pytest.raises(WeightsError, match=r"blocks\.99\.stray"):
        family.official_to_encoder({**official, "blocks.99.stray": torch.empty(1, device="meta")}, spec)
    zero_buffers = ("norm1.bias", "norm2.bias", "encoder_norm.bias") if spec.family == "terramind" else ()
    used = [key for key in keys["official_keys_used_by_encoder"] if not key.endswith(zero_buffers or "\0")]
    for key in used:
        with pytest.raises(WeightsError, match="lacks 1 "):
            family.official_to_encoder({k: t for k, t in official.items() if k != key}, spec)


@pytest.mark.parametrize("name", ["prithvi_eo_v2_tiny_tl", "terramind_v1_tiny", "clay_v1_base", "dofa_base"])
@pytest.mark.parametrize("other", ["prithvi_eo_v1_100", "terramind_v1_base", "clay_v1_5_large", "dofa_large"])
def test_a_checkpoint_of_another_model_is_refused(name: str, other: str) -> None:
    spec = cards.CARDS[name]
    with pytest.raises(WeightsError, match="Give the checkpoint"):
        FAMILIES[spec.family].official_to_encoder(_meta(_keys(other)["official_checkpoint"]), spec)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in FINGERPRINTS]
)
def test_the_full_size_fingerprint_holds(name: str) -> None:
    expected = FINGERPRINTS[name]
    spec = _with_modalities(cards.CARDS[name], *expected.get("order", ()))
    if "num_frames" in expected:
        spec = replace(spec, config=MappingProxyType({**spec.config, "num_frames": expected["num_frames"]}))
    found = fill.fingerprint(_tokens(spec, expected, _weights(name, spec)))
    assert found["shape"] == expected["shape"]
    assert found["rows"] == expected["rows"]
    for part in ("first8", "last4", "row_norms", "mean", "std"):
        assert torch.allclose(torch.tensor(found[part]), torch.tensor(expected[part]), rtol=0, atol=2e-3), (
            part
        )


def _weights(name: str, spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """Official weights from their names; TerraMind's position tables are fixed and its norm biases zero."""
    keys = _keys(name)
    wanted = {MODALITIES[m].key for m in spec.config.get("modalities", ())}  # type: ignore[attr-defined]
    state = {}
    for key in keys["official_keys_used_by_encoder"]:
        shape = keys["official_checkpoint"][key][0]
        if spec.family == "terramind" and key.startswith("encoder_embeddings."):
            if key.split(".")[1] not in wanted:
                continue
            if key.endswith("pos_emb"):
                state[key] = terramind.default_positions(spec)
                continue
        is_norm_bias = spec.family == "terramind" and "norm" in key and key.endswith(".bias")
        state[key] = torch.zeros(shape) if is_norm_bias else fill.weight(key, shape)
    return state


@torch.no_grad()
def _tokens(spec: BackboneSpec, facts: dict[str, Any], state: dict[str, torch.Tensor]) -> torch.Tensor:
    family = FAMILIES[spec.family]
    module = family.encoder(spec).eval()
    module.load_state_dict(family.official_to_encoder(state, spec))
    last = [spec.depth - 1]
    given = facts["image"]
    if spec.family == "terramind":
        images = {modality: fill.image(*given[modality][1:]) for modality in facts["order"]}
        return module(images, last)[last[0]]
    image = fill.image(*given[1:])
    if spec.family == "prithvi":
        coordinates = [
            None if facts[name] is None else torch.tensor(facts[name])
            for name in ("temporal_coords", "location_coords")
        ]
        return module(image, last, *coordinates)[last[0]]
    if spec.family == "clay":
        time, place = torch.tensor(facts["time"]), torch.tensor(facts["latlon"])
        return module(image, last, torch.tensor(facts["waves"]), facts["gsd"], time, place)[last[0]]
    return module(image, last, torch.tensor(facts["wavelengths"]))[last[0]]
