"""An unpickler for checkpoints with foreign hyper-parameters: tensors are real, foreign classes are inert."""

from __future__ import annotations

import collections
import pickle
import sys
from _compat_pickle import IMPORT_MAPPING
from typing import Any

import torch


class HarmfulPickle(Exception):
    """The pickle names something that could act; the message is its dotted name."""


class _Inert:
    """Stands for an object of a foreign class: takes whatever the pickle gives it and does nothing."""

    def __init__(self, *_args: object, **_kwargs: object) -> None: ...

    def __setstate__(self, _state: object) -> None: ...

    def __setitem__(self, _key: object, _value: object) -> None: ...

    def append(self, _item: object) -> None: ...

    def extend(self, _items: object) -> None: ...

    def add(self, _item: object) -> None: ...

    def __call__(self, *_args: object, **_kwargs: object) -> _Inert:
        return self


# What may be built for real: how torch writes tensors, and containers.
_REAL: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "defaultdict"): collections.defaultdict,
    ("collections", "Counter"): collections.Counter,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "dict"): dict,
    ("builtins", "list"): list,
    ("builtins", "tuple"): tuple,
    ("builtins", "int"): int,
    ("builtins", "float"): float,
    ("builtins", "bool"): bool,
    ("builtins", "str"): str,
    ("builtins", "complex"): complex,
    ("builtins", "bytearray"): bytearray,
}
# Storages and dtypes are instances or classes in torch itself: torch.FloatStorage, torch.float32.
_TORCH_VALUES = (torch.dtype, torch.layout, torch.memory_format)
# Standard-library classes that hyper-parameters are known to hold; they become inert as foreign ones do.
_HARMLESS = {"pathlib", "pathlib._local", "argparse", "datetime", "enum", "typing", "copyreg", "uuid",
             "decimal", "fractions", "types"}  # fmt: skip


class _TensorUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The thing that a pickle names: real, inert, or refused.

        Raises:
            HarmfulPickle: a function or class of the standard library beyond containers.
        """
        module = IMPORT_MAPPING.get(module, module)  # torch writes Python 2 names: __builtin__ for builtins
        if (module, name) in _REAL:
            return _REAL[module, name]
        if module in {"torch", "torch.storage"}:
            value = getattr(torch, name, None) or getattr(torch.storage, name, None)
            if isinstance(value, _TORCH_VALUES) or (isinstance(value, type) and name.endswith("Storage")):
                return value
        root = module.partition(".")[0]
        if (
            root in sys.stdlib_module_names or root in {"nt", "posix", "__main__"}
        ) and module not in _HARMLESS:
            raise HarmfulPickle(f"{module}.{name}")
        return _Inert


class TensorPickleModule:
    """What `torch.load(pickle_module=...)` looks for: an `Unpickler`, and nothing to load old formats with."""

    __name__ = "tensor_pickle_module"
    Unpickler = _TensorUnpickler
