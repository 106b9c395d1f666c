"""Opening a checkpoint file as plain tensors, without running anything that is in it."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from engine.backbones.weights.tensor_unpickler import HarmfulPickle, TensorPickleModule
from engine.errors import WeightsError

# Keys under which training frameworks keep the tensors: Lightning, plain PyTorch scripts, MAE scripts.
_NESTS = ("state_dict", "model_state_dict", "model")


def open_state(path: Path) -> dict[str, torch.Tensor]:
    """All named tensors of a .safetensors, .onnx, .pt, .pth or .ckpt file, on the CPU.

    A Lightning checkpoint may hold hyper-parameters of classes that are not installed here: they are
    replaced by inert stand-ins and dropped. Nothing in the file is executed.

    Raises:
        WeightsError: the file is absent, cut short, of another format, or holds code.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is not there. Give the path of a checkpoint.")
    match path.suffix.lower():
        case ".safetensors":
            return _open_safetensors(path)
        case ".onnx":
            return _open_onnx(path)
        case ".pt" | ".pth" | ".ckpt" | ".bin":
            return _tensors_of(_open_pickle(path), path)
    raise WeightsError(
        f"{path.name} is no checkpoint by its name, which ends in .safetensors, .pt, .pth, .ckpt or .onnx. "
        f"Give the publisher's file under its own name."
    )


def require_same_tensors(
    name: str, expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> None:
    """Both sides have the same names and shapes.

    Raises:
        WeightsError: with the difference.
    """
    missing = sorted(expected.keys() - found.keys())
    unexpected = sorted(found.keys() - expected.keys())
    reshaped = [
        f"{key} {tuple(found[key].shape)} instead of {tuple(expected[key].shape)}"
        for key in expected.keys() & found.keys()
        if expected[key].shape != found[key].shape
    ]
    if missing or unexpected or reshaped:
        raise WeightsError(
            f"{name} has {len(expected)} tensors; the checkpoint lacks {_some(missing)}, has others "
            f"{_some(unexpected)}, and shapes differ in {_some(sorted(reshaped))}. "
            f"Give the checkpoint of this very model."
        )


def _some(names: list[str]) -> str:
    """`3 (a, b, ...)`: how many, and the first few."""
    return f"{len(names)} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})" if names else "none"


def _open_safetensors(path: Path) -> dict[str, torch.Tensor]:
    import safetensors.torch

    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError) as err:
        raise _unreadable(path, err) from err


def _open_onnx(path: Path) -> dict[str, torch.Tensor]:
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
        tensors = {
            item.name: torch.from_numpy(numpy_helper.to_array(item).copy()) for item in graph.initializer
        }
        if not tensors:
            raise ValueError("a graph without weights")
        return tensors
    except (DecodeError, ValueError, TypeError) as err:
        raise _unreadable(path, err) from err


def _open_pickle(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as err:
        if zipfile.is_zipfile(path):
            return _open_tensors_only(path)
        raise _unreadable(path, err) from err
    except (RuntimeError, EOFError, ValueError, KeyError, OSError) as err:
        raise _unreadable(path, err) from err


def _open_tensors_only(path: Path) -> Any:
    try:
        # weights_only is off because torch lets no other unpickler in with it; TensorPickleModule itself admits
        # torch's tensors and containers only.
        content = torch.load(path, map_location="cpu", weights_only=False, pickle_module=TensorPickleModule)
    except HarmfulPickle as err:
        raise WeightsError(
            f"{path.name} asks to run {err} when it is opened; it was not run. A checkpoint holds nothing but tensors. "
            f"Get the file from its publisher again, as .safetensors if there is one."
        ) from err
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as err:
        raise _unreadable(path, err) from err
    if not (isinstance(content, dict) and isinstance(content.get("state_dict"), dict)):
        raise WeightsError(
            f"{path.name} holds objects of other classes beside tensors, and is no Lightning checkpoint. Save its state_dict alone and give that file."
        )
    return content


def _tensors_of(content: Any, path: Path) -> dict[str, torch.Tensor]:
    for nest in _NESTS:
        if isinstance(content, dict) and isinstance(content.get(nest), dict):
            content = content[nest]
    if not isinstance(content, dict) or not content:
        raise WeightsError(
            f"{path.name} holds a {type(content).__name__} in place of named tensors. Give a state_dict."
        )
    content = dict(_flat(content))
    others = [str(key) for key, value in content.items() if not isinstance(value, torch.Tensor)]
    if others:
        raise WeightsError(
            f"{path.name} holds other things beside named tensors: {_some(others)}. Save its state_dict alone."
        )
    return content


def _flat(content: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values, those of mappings of tensors (files with several networks) as `name.key`."""
    for name, value in content.items():
        if isinstance(value, dict) and value and all(isinstance(one, torch.Tensor) for one in value.values()):
            yield from ((f"{name}.{key}", tensor) for key, tensor in value.items())
        else:
            yield str(name), value


def _unreadable(path: Path, err: Exception) -> WeightsError:
    size_mb = path.stat().st_size / 1e6
    reason = " ".join(str(err).split())[:160] or type(err).__name__
    return WeightsError(
        f"{path.name} ({size_mb:.1f} MB) cannot be opened: it is cut short, damaged or of another "
        f"format ({reason}). Delete it and fetch it again."
    )
