"""A checkpoint file in the official layout through the whole path: file, hash, load, embed."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from safetensors.torch import load_file

from engine.backbones import build, cards
from engine.backbones.core import device
from engine.backbones.core.spec import BackboneSpec
from engine.errors import WeightsError
from tests.golden import deterministic_fill
from tests.unit.backbones.batches import ALL_BANDS, HLS, make_batch

GOLDEN = Path(__file__).parents[2] / "golden"
CPU = device.Device("cpu", torch.float32, "CPU")
CASES = {
    "prithvi_v1_a_native3f": "prithvi_eo_v1_100",
    "prithvi_v1_b_1f_interp": "prithvi_eo_v1_100",
    "prithvi_v2tl_a_2f_interp": "prithvi_eo_v2_300_tl",
    "terramind_b_tiny_s2l2a_s1grd": "terramind_v1_tiny",
    "clay_a_v1_s2_10band": "clay_v1_base",
    "dofa_c_p8_s1_bicubic": "dofa_base",
}


def _tiny(case: str) -> BackboneSpec:
    facts, card = (
        json.loads((GOLDEN / "open" / f"{case}.json").read_text())["model"],
        cards.CARDS[CASES[case]],
    )
    patch = facts["patch_size"]
    return replace(
        card,
        depth=facts["depth"],
        dim=facts["embed_dim"],
        patch_px=patch if isinstance(patch, int) else patch[-1],
        config=MappingProxyType({**card.config, **facts}),
    )


def _bands(spec: BackboneSpec) -> tuple[str, ...]:
    return HLS if spec.any_bands else tuple(ALL_BANDS)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_file_in_the_official_layout_is_found_hashed_loaded_and_embeds(
    case: str, suffix: str, tmp_path: Path
) -> None:
    state = load_file(GOLDEN / "open" / f"{case}.safetensors")
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        path.write_bytes((GOLDEN / "open" / f"{case}.safetensors").read_bytes())
    else:
        nested = {"state_dict": state, "epoch": 3} if "clay" in case else state
        torch.save(nested, path)
    spec = _tiny(case)
    backbone = build.build(spec, str(path), CPU, bands=_bands(spec))
    assert backbone.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    found = backbone.embed(make_batch(bands=_bands(spec)), [-1])
    assert found.maps[0].shape[0] == 2
    assert torch.isfinite(found.maps[0]).all()


def test_a_full_size_file_goes_the_same_way(tmp_path: Path) -> None:
    name = "prithvi_eo_v2_tiny_tl"
    with gzip.open(GOLDEN / "keys" / f"{name}.json.gz") as file:
        shapes = json.load(file)["official_checkpoint"]
    path = tmp_path / "Prithvi_EO_V2_tiny_TL.pt"
    torch.save({key: deterministic_fill.weight(key, shape) for key, (shape, _) in shapes.items()}, path)
    backbone = build.build(cards.CARDS[name], str(path), CPU, bands=HLS)
    found = backbone.embed(make_batch(dates=2, height=224, width=224, bands=HLS), [5, -1])
    assert [tuple(item.shape) for item in found.maps] == [(2, 14, 14, 2 * 192)] * 2
    assert backbone.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("case", CASES)
def test_a_file_of_another_family_is_refused_with_the_difference(case: str, tmp_path: Path) -> None:
    other = next(name for name in CASES if CASES[name].split("_")[0] != CASES[case].split("_")[0])
    path = tmp_path / "other.safetensors"
    path.write_bytes((GOLDEN / "open" / f"{other}.safetensors").read_bytes())
    spec = _tiny(case)
    with pytest.raises(WeightsError, match="lacks"):
        build.build(spec, str(path), CPU, bands=_bands(spec))
