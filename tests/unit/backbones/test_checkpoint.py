"""Checkpoint files: whole ones open as tensors, all others are refused without running anything."""

from __future__ import annotations

import os
import pathlib
import pickle
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from engine.backbones.build import build
from engine.backbones.cards import card
from engine.backbones.core.device import choose
from engine.backbones.weights.checkpoint import open_state
from engine.errors import WeightsError


@pytest.fixture()
def state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"a.weight": torch.rand(3, 4, generator=generator), "b.bias": torch.arange(5.0).half()}


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".bin"])
@pytest.mark.parametrize("nest", [None, "state_dict", "model"])
def test_tensors_come_out_as_they_went_in(
    state: dict[str, torch.Tensor], tmp_path: Path, suffix: str, nest: str | None
) -> None:
    path = tmp_path / f"w{suffix}"
    torch.save(OrderedDict(state) if nest is None else {nest: state, "epoch": 3}, path)
    assert same(open_state(path), state)


def test_a_file_of_several_networks_has_names_that_begin_with_the_network(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    torch.save({"radar": state, "optical": {"c": state["a.weight"]}}, tmp_path / "w.pt")
    found = open_state(tmp_path / "w.pt")
    assert found.keys() == {"radar.a.weight", "radar.b.bias", "optical.c"}


def test_safetensors_open(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    safetensors.torch.save_file(state, tmp_path / "w.safetensors")
    assert same(open_state(tmp_path / "w.safetensors"), state)


def foreign_class(monkeypatch: pytest.MonkeyPatch, name: str) -> type:
    """A class of a package that exists while the file is written only."""
    module = types.ModuleType("claymodel_not_here")
    made = type(name, (), {"__module__": module.__name__, "__reduce__": lambda self: (made, ("argument",))})
    made.__init__ = lambda self, *args: setattr(self, "args", args)  # type: ignore[misc]
    setattr(module, name, made)
    monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
    return made


def test_a_lightning_checkpoint_with_hyper_parameters_of_unknown_classes_opens(
    state: dict[str, torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clay.ckpt"
    with monkeypatch.context() as during:
        foreign = foreign_class(during, "Config")
        parameters = {"config": foreign("x"), "path": pathlib.PurePosixPath("a/b"), "seed": 1}
        torch.save(
            {"state_dict": state, "hyper_parameters": parameters, "pytorch-lightning_version": "2.1"}, path
        )
    assert same(open_state(path), state)


class Harmful:
    """Pickles to a call of its function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("nest", ["hyper_parameters", "state_dict", "alone"])
@pytest.mark.parametrize("function", [os.mkdir, os.system, eval, exec, getattr], ids=lambda f: f.__name__)
def test_a_pickle_with_code_is_refused_and_never_run(
    state: dict[str, torch.Tensor], tmp_path: Path, nest: str, function: Any
) -> None:
    trace = tmp_path / "ran"
    arguments = {
        os.mkdir: (str(trace),),
        os.system: (f"touch {trace}",),
        eval: (f"__import__('os').mkdir({str(trace)!r})",),
        exec: (f"import os; os.mkdir({str(trace)!r})",),
        getattr: (trace, "mkdir"),
    }[function]
    bomb = Harmful(function, *arguments)
    content = {"alone": bomb, "state_dict": {"state_dict": state | {"x": bomb}},
               "hyper_parameters": {"state_dict": state, "hyper_parameters": bomb}}[nest]  # fmt: skip
    path = tmp_path / "w.ckpt"
    torch.save(content, path)
    with pytest.raises(WeightsError, match="it was not run"):
        open_state(path)
    assert not trace.exists()


def test_an_old_plain_pickle_with_code_is_refused_and_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    (tmp_path / "w.pt").write_bytes(pickle.dumps(Harmful(os.mkdir, str(trace))))
    with pytest.raises(WeightsError):
        open_state(tmp_path / "w.pt")
    assert not trace.exists()


def test_code_of_an_installed_package_is_not_run_either(
    state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    trace = tmp_path / "ran"
    torch.save(
        {"state_dict": state, "hyper_parameters": Harmful(torch.save, {}, str(trace))}, tmp_path / "w.ckpt"
    )
    assert same(open_state(tmp_path / "w.ckpt"), state)
    assert not trace.exists()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".onnx"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_file_cut_short_is_refused(suffix: str, share: float, tmp_path: Path) -> None:
    state = {"a": torch.rand(200, 200)}
    whole = tmp_path / f"whole{suffix}"
    if suffix == ".pt":
        torch.save(state, whole)
    elif suffix == ".safetensors":
        safetensors.torch.save_file(state, whole)
    else:
        from engine.backbones.weights import locate as weights

        whole = weights.obtain(card("csmask_b4_l1c"))
    cut = tmp_path / f"cut{suffix}"
    content = whole.read_bytes()
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(WeightsError, match=r"cut\.\w+ .* is cut short, damaged .* fetch it again"):
        open_state(cut)


def test_a_text_called_a_checkpoint_is_refused(tmp_path: Path) -> None:
    for suffix in (".pt", ".safetensors", ".onnx"):
        path = tmp_path / f"w{suffix}"
        path.write_text("<html>Please log in</html>")
        with pytest.raises(WeightsError, match="damaged or of another format"):
            open_state(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {"state_dict": {"a": "text"}}])
def test_what_holds_no_named_tensors_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"(beside|in place of) named tensors"):
        open_state(tmp_path / "w.pt")


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.zip").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"^w\.zip is no checkpoint by its name"):
        open_state(tmp_path / "w.zip")


@pytest.mark.parametrize("name", ["csmask_b4_l2a", "efficientnet_lite0", "vit_small_patch16_dinov3.lvd1689m"])
def test_a_checkpoint_of_another_family_is_refused(
    name: str, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "other.pt"
    torch.save(state, path)
    with pytest.raises(WeightsError, match=r"Give the checkpoint of this very model"):
        build(card(name), str(path), choose("cpu"))
