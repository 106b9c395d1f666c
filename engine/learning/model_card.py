"""The card inside a decoder's safetensors file: fields of STAC's MLM extension beside our own, so that one file tells all.

Names of fields: https://github.com/stac-extensions/mlm (version 1.4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.learning.card import DecoderCard
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
        "mlm:name": f"{task.name}, {card.head['name']} on {card.backbone}",
        "mlm:architecture": f"{card.head['name']} decoder on frozen embeddings",
        "mlm:tasks": [_task_word(task)],
        "mlm:framework": "pytorch",
        "mlm:total_parameters": parameters,
        "mlm:pretrained": not card.is_random,
        "mlm:pretrained_source": f"{card.backbone} (weights {card.weights_sha256})",
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
