"""Golden cases: every adapter against outputs of the authors' reference code, to a stated tolerance.

A case is three files with one stem: `.json` (family, constructor arguments, checkpoint facts), `.safetensors`
(weights in the official layout), `.npz` (`in_*` inputs and `out_*` reference outputs). A case of a released model may
come without weights: its JSON names the card as "model", and the checkpoint is given or found on this machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.backbones.cards import card
from engine.backbones.golden import outputs as golden
from engine.backbones.weights import locate
from engine.errors import BackboneError, EngineError
from engine.files import read_json

TOLERANCE = 5e-5
_SUFFIXES = (".json", ".npz")


@dataclass(frozen=True)
class CaseResult:
    """What one golden case showed.

    Attributes:
        errors: output name -> largest absolute difference; infinite where shapes differ or a number is
            not finite; any differing token id counts as infinite.
        failure: why the case could not be compared, empty where it could.
    """

    case: str
    errors: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything was compared and lies within the tolerance."""
        return not self.failure and bool(self.errors) and all(e <= TOLERANCE for e in self.errors.values())


def verify_folder(folder: Path, dump: Path | None = None, weights: Path | None = None) -> list[CaseResult]:
    """Run every golden case of a folder through the adapters, in the order of their names.

    Args:
        dump: a folder for `<case>.npz` files with our outputs under the reference's names.
        weights: a checkpoint for the cases that come without one.

    Raises:
        BackboneError: the folder is absent or holds no case.
    """
    if not folder.is_dir():
        raise BackboneError(f"{folder} is no folder. Give the folder of the golden cases.")
    stems = sorted(_stems(folder))
    if not stems:
        raise BackboneError(
            f"{folder} holds no golden case. A case is <name>.json, <name>.npz and <name>.safetensors."
        )
    if dump is not None:
        dump.mkdir(parents=True, exist_ok=True)
    return [_verify_case(folder, stem, dump, weights) for stem in stems]


def _stems(folder: Path) -> set[str]:
    """Stems of all cases, complete or not; other JSON files (such as fingerprints) are not cases."""
    stems = {path.stem for suffix in (".npz", ".safetensors") for path in folder.glob(f"*{suffix}")}
    for path in folder.glob("*.json"):
        try:
            tree = read_json(path)
        except ValueError:
            stems.add(path.stem)
            continue
        if isinstance(tree, dict) and "family" in tree:
            stems.add(path.stem)
    return stems


def _verify_case(folder: Path, stem: str, dump: Path | None, weights: Path | None) -> CaseResult:
    try:
        facts, inputs, expected = _read_case(folder, stem)
        checkpoint = _checkpoint(folder / f"{stem}.safetensors", facts, weights)
        outputs = golden.reproduce(facts, checkpoint, inputs, list(expected))
    except EngineError as err:
        return CaseResult(stem, failure=str(err))
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError) as err:
        # A case comes from outside: whatever is wrong in it must not hide the other cases.
        return CaseResult(stem, failure=f"the case could not be run: {type(err).__name__}: {err}")
    if dump is not None:
        np.savez(dump / f"{stem}.npz", **outputs)  # type: ignore[arg-type]
    return CaseResult(stem, {name: _difference(name, outputs[name], expected[name]) for name in expected})


def _read_case(
    folder: Path, stem: str
) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]], dict[str, np.ndarray[Any, Any]]]:
    absent = [suffix for suffix in _SUFFIXES if not (folder / f"{stem}{suffix}").is_file()]
    if absent:
        raise BackboneError(f"The case {stem} lacks {' and '.join(absent)}. Add what is missing.")
    try:
        facts = read_json(folder / f"{stem}.json")
        with np.load(folder / f"{stem}.npz") as arrays:
            tensors = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError) as err:
        raise BackboneError(f"{stem} cannot be read as JSON and npz: {err}. Copy it again.") from err
    expected = {name: tensors[name] for name in tensors if name.startswith("out_")}
    if not expected:
        raise BackboneError(
            f"{stem} has nothing to compare: its npz has no out_* array. Add the reference outputs."
        )
    return facts, {name: tensors[name] for name in tensors if name.startswith("in_")}, expected


def _checkpoint(own: Path, facts: Mapping[str, Any], given: Path | None) -> Path:
    """The case's own weights, else those given, else the released ones of the card that it names.

    Raises:
        BackboneError: there are none, or the card is unknown.
    """
    if own.is_file():
        return own
    if given is not None:
        return given
    name = facts.get("model")
    found = locate.present(card(name)) if isinstance(name, str) else None
    if found is None:
        raise BackboneError(
            f"The case has no weights: {own.name} is not there. Add it, or give the checkpoint of {name} by --weights."
            if isinstance(name, str)
            else f"The case has no weights: {own.name} is not there. Add it."
        )
    return found


def _difference(name: str, ours: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> float:
    if ours.shape != reference.shape:
        return math.inf
    if name.endswith("token_ids"):
        return 0.0 if np.array_equal(ours, reference) else math.inf
    largest = float(np.max(np.abs(ours.astype(np.float64) - reference.astype(np.float64)), initial=0.0))
    return largest if math.isfinite(largest) else math.inf
