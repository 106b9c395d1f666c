"""The adapters against outputs of the authors' reference code, and `verify` against cases that are wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from engine.backbones.golden.verify import TOLERANCE, verify_folder
from engine.errors import BackboneError

OPEN = Path(__file__).parents[2] / "golden" / "open"
CASES = sorted(path.stem for path in OPEN.glob("*.npz"))


def _copy(case: str, folder: Path) -> Path:
    for suffix in (".json", ".npz", ".safetensors"):
        shutil.copy(OPEN / f"{case}{suffix}", folder / f"{case}{suffix}")
    return folder


@pytest.mark.parametrize("case", CASES)
def test_every_open_case_is_within_the_tolerance(case: str, tmp_path: Path) -> None:
    (result,) = verify_folder(_copy(case, tmp_path))
    assert result.failure == ""
    with np.load(OPEN / f"{case}.npz") as arrays:
        assert set(result.errors) == {name for name in arrays.files if name.startswith("out_")}
    assert result.passed
    assert max(result.errors.values()) <= TOLERANCE


def test_the_dump_holds_our_outputs_under_the_reference_names(tmp_path: Path) -> None:
    case = "prithvi_v1_b_1f_interp"
    (tmp_path / "in").mkdir()
    verify_folder(_copy(case, tmp_path / "in"), tmp_path / "out")
    with np.load(tmp_path / "out" / f"{case}.npz") as ours, np.load(OPEN / f"{case}.npz") as reference:
        assert set(ours.files) == {name for name in reference.files if name.startswith("out_")}
        assert np.abs(ours["out_tokens"] - reference["out_tokens"]).max() <= TOLERANCE


@pytest.mark.parametrize(
    "case", ["prithvi_v1_b_1f_interp", "clay_a_v1_s2_10band", "terramind_tokenizer_a_lulc"]
)
def test_a_changed_reference_output_fails(case: str, tmp_path: Path) -> None:
    _copy(case, tmp_path)
    arrays = dict(np.load(tmp_path / f"{case}.npz"))
    name = next(name for name in arrays if name.startswith("out_"))
    arrays[name].flat[3] += 1e-4 if name != "out_token_ids" else 1
    np.savez(tmp_path / f"{case}.npz", **arrays)
    (result,) = verify_folder(tmp_path)
    assert not result.passed
    assert result.errors[name] > TOLERANCE


def test_a_changed_weight_fails(tmp_path: Path) -> None:
    case = "terramind_a_base_s2l2a"
    _copy(case, tmp_path)
    state = load_file(tmp_path / f"{case}.safetensors")
    state["encoder.0.mlp.fc1.weight"], state["encoder.0.mlp.fc3.weight"] = (
        state["encoder.0.mlp.fc3.weight"],
        state["encoder.0.mlp.fc1.weight"],
    )
    save_file(state, tmp_path / f"{case}.safetensors")
    (result,) = verify_folder(tmp_path)
    assert result.errors["out_embed"] <= TOLERANCE < result.errors["out_layer0"]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match="holds no golden case"):
        verify_folder(tmp_path)


def test_a_case_without_reference_outputs_is_not_a_pass(tmp_path: Path) -> None:
    case = "prithvi_v1_b_1f_interp"
    _copy(case, tmp_path)
    arrays = {name: a for name, a in np.load(tmp_path / f"{case}.npz").items() if name.startswith("in_")}
    np.savez(tmp_path / f"{case}.npz", **arrays)
    (result,) = verify_folder(tmp_path)
    assert not result.passed
    assert "no out_" in result.failure


@pytest.mark.parametrize("suffix", [".json", ".npz", ".safetensors"])
def test_a_case_with_a_file_missing_is_not_a_pass(suffix: str, tmp_path: Path) -> None:
    case = "prithvi_v1_b_1f_interp"
    (_copy(case, tmp_path) / f"{case}{suffix}").unlink()
    (result,) = verify_folder(tmp_path)
    assert not result.passed
    assert suffix in result.failure


def test_a_broken_case_does_not_hide_the_others(tmp_path: Path) -> None:
    _copy("prithvi_v1_b_1f_interp", tmp_path)
    _copy("clay_a_v1_s2_10band", tmp_path)
    (tmp_path / "clay_a_v1_s2_10band.safetensors").write_bytes(b"cut short")
    results = {result.case: result for result in verify_folder(tmp_path)}
    assert results["prithvi_v1_b_1f_interp"].passed
    assert not results["clay_a_v1_s2_10band"].passed


def test_an_output_that_no_adapter_gives_is_a_failure(tmp_path: Path) -> None:
    case = "dofa_a_p16_s2_9band_native"
    _copy(case, tmp_path)
    arrays = dict(np.load(tmp_path / f"{case}.npz"))
    np.savez(tmp_path / f"{case}.npz", **arrays, out_something=np.zeros(3, np.float32))
    (result,) = verify_folder(tmp_path)
    assert "out_something" in result.failure


def test_a_family_that_does_not_exist_is_named(tmp_path: Path) -> None:
    case = "prithvi_v1_b_1f_interp"
    _copy(case, tmp_path)
    facts = json.loads((tmp_path / f"{case}.json").read_text())
    (tmp_path / f"{case}.json").write_text(json.dumps({**facts, "family": "prithwi"}))
    (result,) = verify_folder(tmp_path)
    assert "prithwi" in result.failure
