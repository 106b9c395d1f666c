"""Where weights are looked for, and when a file is not the one it should be."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest

from engine.backbones.cards import card
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.weights import locate as weights
from engine.errors import WeightsError
from engine.files import file_sha256


def put(path: Path, content: bytes = b"weights") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def hub_cache(root: Path, repo: str, file: str) -> Path:
    """A file as huggingface_hub keeps it: a revision and a snapshot of it."""
    folder = root / f"models--{repo.replace('/', '--')}"
    put(folder / "refs" / "main", b"abc")
    return put(folder / "snapshots" / "abc" / file)


def test_a_given_path_comes_first(hub_spec: BackboneSpec, tmp_path: Path) -> None:
    put(tmp_path / "weights" / "org" / "model" / "w.safetensors")
    mine = put(tmp_path / "mine.safetensors")
    assert weights.obtain(hub_spec, mine) == mine


def test_a_given_path_that_is_not_there_is_an_error_and_no_reason_to_look_elsewhere(
    hub_spec: BackboneSpec, tmp_path: Path
) -> None:
    put(tmp_path / "weights" / "w.safetensors")
    with pytest.raises(WeightsError, match=r"gone\.pt' is not a file"):
        weights.obtain(hub_spec, tmp_path / "gone.pt")


@pytest.mark.parametrize(
    "place", ["org/model/w.safetensors", "model/w.safetensors", "w.safetensors", "somebody.safetensors"]
)
def test_the_folder_of_the_environment_is_searched(
    hub_spec: BackboneSpec, tmp_path: Path, place: str
) -> None:
    assert weights.present(hub_spec) is None
    path = put(tmp_path / "weights" / place)
    assert weights.present(hub_spec) == path


def test_a_file_name_that_every_model_has_counts_in_its_repositorys_folder_only(
    hub_spec: BackboneSpec, tmp_path: Path
) -> None:
    source = dataclasses.replace(hub_spec.weights, file="model.safetensors")
    spec = dataclasses.replace(hub_spec, weights=source)
    put(tmp_path / "weights" / "model.safetensors")
    assert weights.present(spec) is None
    right = put(tmp_path / "weights" / "org" / "model" / "model.safetensors")
    assert weights.present(spec) == right


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME", None])
def test_the_hubs_cache_is_searched_after_the_environments_folder(
    hub_spec: BackboneSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    folders = {"HF_HUB_CACHE": tmp_path / "hub", "HF_HOME": tmp_path / "home" / "hub",
               None: tmp_path / "cache" / "huggingface" / "hub"}  # fmt: skip
    if variable is not None:
        monkeypatch.setenv(variable, str(tmp_path / ("hub" if variable == "HF_HUB_CACHE" else "home")))
    cached = hub_cache(folders[variable], "org/model", "w.safetensors")
    found = huggingface_hub.try_to_load_from_cache("org/model", "w.safetensors", cache_dir=folders[variable])
    assert weights.present(hub_spec) == cached == Path(str(found))
    nearer = put(tmp_path / "weights" / "w.safetensors")
    assert weights.present(hub_spec) == nearer


@pytest.mark.parametrize("name", ["csmask_b4_l1c", "csmask_b4_l2a", "efficientnet_lite0"])
def test_embedded_weights_are_installed_and_the_ones_of_the_card(name: str) -> None:
    spec = card(name)
    path = weights.obtain(spec)
    assert weights.check(spec, path) == spec.weights.sha256
    assert path.stat().st_size / 1e6 == pytest.approx(spec.weights.size_mb, abs=0.05)


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = card("csmask_b4_l1c")
    absent = dataclasses.replace(spec, weights=dataclasses.replace(spec.weights, repo="no_such_package"))
    with pytest.raises(WeightsError, match=r"no_such_package, which is not installed.*requirements\.txt"):
        weights.obtain(absent)


def test_the_publishers_hash_must_match(hub_spec: BackboneSpec, tmp_path: Path) -> None:
    source = dataclasses.replace(hub_spec.weights, sha256="0" * 64)
    path = put(tmp_path / "weights" / "w.safetensors")
    with pytest.raises(
        WeightsError, match=f"has the sha256 {file_sha256(path)}; .* is {'0' * 64}, as its publisher gives"
    ):
        weights.check(dataclasses.replace(hub_spec, weights=source), path)


def test_the_hash_seen_first_must_match_from_then_on(hub_spec: BackboneSpec, tmp_path: Path) -> None:
    path = put(tmp_path / "weights" / "w.safetensors")
    first = weights.check(hub_spec, path)
    assert weights.check(hub_spec, path) == first
    path.write_bytes(b"altered")
    with pytest.raises(WeightsError, match="recorded on first use"):
        weights.check(hub_spec, path)


def test_a_file_given_by_hand_is_hashed_and_not_compared(hub_spec: BackboneSpec, tmp_path: Path) -> None:
    path = put(tmp_path / "mine.safetensors")
    assert weights.check(hub_spec, path, is_given=True) == file_sha256(path)
    assert not (tmp_path / "mine.safetensors.sha256").exists()


def test_asking_whether_weights_are_here_needs_no_torch() -> None:
    program = (
        "import sys; from engine.backbones import cards; from engine.backbones.weights import locate as weights; "
        "[weights.present(spec) for spec in cards.CARDS.values()]; "
        "sys.exit('torch' in sys.modules or 'timm' in sys.modules or 'onnx' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


def test_a_file_name_that_all_sizes_of_a_model_have_counts_where_the_folder_tells_the_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    nano, base = card("galileo_nano"), card("galileo_base")
    for path in ("encoder.pt", "galileo_nano/encoder.pt"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"weights")
    assert weights.present(nano) == tmp_path / "galileo_nano/encoder.pt"
    assert weights.present(base) is None
    (tmp_path / base.weights.file).parent.mkdir(parents=True)
    (tmp_path / base.weights.file).write_bytes(b"weights")
    assert weights.present(base) == tmp_path / "models/base/encoder.pt"
