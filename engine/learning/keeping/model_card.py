"""The card inside a decoder's safetensors file: fields of STAC's MLM extension beside our own, so that one file tells all.

Names of fields: https://github.com/stac-extensions/mlm (its json-schema of version 1.3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from engine.files import write_atomic
from engine.learning.keeping.card import DecoderCard
from engine.learning.positions import POSITION_PREFIX, Positions
from engine.learning.tasks.task import Task

# One text holds both: safetensors writes several in any order, and the same training gives the same bytes.
CARD_KEY, OWN_KEY, MLM_KEY = "card", "emberscope", "stac_mlm"


def metadata_of(card: DecoderCard, parameters: int, scores: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the header of a decoder's file, as safetensors has it: text by name.

    The same training gives the same text: the moment of its making stands in decoder.json only.
    """
    own = {key: value for key, value in asdict(card).items() if key != "created"}
    tree = {OWN_KEY: {**own, "scores": dict(scores)}, MLM_KEY: mlm_fields(card, parameters)}
    return {CARD_KEY: json.dumps(tree)}


def mlm_fields(card: DecoderCard, parameters: int) -> dict[str, Any]:
    """The decoder as STAC's MLM extension describes models."""
    task = card.taught
    outputs = task.outputs(card.patch_px)
    return {
        "mlm:name": re.sub(r"[^a-zA-Z0-9_.-]+", " ", f"{task.name} {card.head['name']} on {card.backbone}").strip(),
        "mlm:architecture": f"{card.head['name']} decoder on frozen embeddings",
        "mlm:tasks": [_task_word(task)],
        "mlm:framework": "PyTorch",
        "mlm:framework_version": version("torch"),
        "mlm:accelerator": None,
        "mlm:hyperparameters": {**card.head, "seed": card.seed, "epoch": card.epoch, "position": card.position},
        "mlm:total_parameters": parameters,
        "mlm:pretrained": not card.is_random,
        "mlm:pretrained_source": None if card.is_random else f"{card.backbone} (weights {card.weights_sha256 or 'not stated'})",
        "bands": [{"name": band} for band in card.bands],
        **({} if card.gsd_m is None else {"gsd": card.gsd_m}),
        "mlm:input": [{
            "name": "embeddings", "bands": list(card.bands),
            "input": {"shape": [-1, sum(card.dims)], "dim_order": ["batch", "feature"], "data_type": "float32"},
            "description": f"embeddings of layers {', '.join(map(str, card.layers))}, one row a patch of {card.patch_px} px",
        }],
        "mlm:output": [{
            "name": task.name, "tasks": [_task_word(task)],
            "result": {"shape": [-1, outputs], "dim_order": ["batch", "output"], "data_type": "float32"},
            "classification:classes": [
                {"value": one.value, "name": one.key, "title": one.title} for one in task.classes
            ],
        }],
    }  # fmt: skip


def parameters_of(state: Mapping[str, Any]) -> int:
    """Numbers in the arrays of a decoder."""
    return sum(int(np.prod(value.shape)) for value in state.values())


def _task_word(task: Task) -> str:
    """The task in MLM's words."""
    if not task.classes:
        return "regression"
    return "scene-classification" if task.is_per_tile else "semantic-segmentation"


def write_decoder(
    path: Path,
    state: Mapping[str, Any],
    card: DecoderCard,
    scores: Mapping[str, Any],
    positions: Positions | None = None,
) -> None:
    """Write the one file of a decoder: its tensors, the means that were taken off first, and the card in the header.

    Args:
        state: torch tensors on the CPU, by name.

    Raises:
        DiskFull: no room.
    """
    arrays = {name: np.ascontiguousarray(value.numpy()) for name, value in state.items()}
    means = (
        {}
        if positions is None
        else {POSITION_PREFIX + name: found for name, found in positions.tensors.items()}
    )
    content = save({**arrays, **means}, metadata_of(card, parameters_of(arrays), scores))
    write_atomic(path, lambda temporary: temporary.write_bytes(content))
