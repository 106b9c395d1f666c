"""Our outputs for a golden case, under the reference's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.backbones.cards import card
from engine.backbones.families import FAMILIES
from engine.backbones.weights.checkpoint import open_state
from engine.errors import BackboneError


@torch.no_grad()
def reproduce(
    facts: Mapping[str, Any],
    weights: Path,
    inputs: Mapping[str, np.ndarray[Any, Any]],
    expected: Sequence[str],
) -> dict[str, np.ndarray[Any, Any]]:
    """Outputs of our encoder for one case.

    Args:
        facts: the case's JSON: "family", "model" (constructor arguments, or a card's name that says the family too),
            "checkpoint", "bands" and so on.
        weights: a checkpoint in the official layout.
        inputs: the `in_*` arrays.
        expected: names of the `out_*` arrays to compute.

    Raises:
        BackboneError: the family is unknown, an input is absent or an output has a name that it does not give.
        WeightsError: the weights are not the encoder's.
    """
    runners = {name: run for family in FAMILIES.values() for name, run in family.golden().items()}
    name = card(facts["model"]).family if isinstance(facts.get("model"), str) else str(facts.get("family"))
    if name not in runners:
        raise BackboneError(
            f"The case's family {name!r} has no golden runner; these have: {', '.join(runners)}. Correct its JSON."
        )
    tensors = {key.removeprefix("in_"): torch.from_numpy(np.asarray(array)) for key, array in inputs.items()}
    state = {key: t.float() if t.is_floating_point() else t for key, t in open_state(weights).items()}
    outputs = runners[name](facts, state, tensors)
    unknown = [key for key in expected if key not in outputs]
    if unknown:
        raise BackboneError(
            f"{name} gives no output {', '.join(unknown)}; it gives {', '.join(outputs)}. Correct the names in the npz."
        )
    return {key: outputs[key]().numpy() for key in expected}
