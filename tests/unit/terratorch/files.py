"""TerraTorch generation files, made by key: present and older forms of the same wish."""

from __future__ import annotations

import copy
from typing import Any

SIX = ["BLUE", "GREEN", "RED", "NIR_NARROW", "SWIR_1", "SWIR_2"]


def data(**changes: Any) -> dict[str, Any]:
    """The data half, the same in both forms; a change of None removes the key."""
    arguments: dict[str, Any] = {
        "batch_size": 4,
        "num_workers": 2,
        "num_classes": 2,
        "check_stackability": False,
        "no_data_replace": 0,
        "img_grep": "*_merged.tif",
        "predict_data_root": "chips/data",
        "train_data_root": "none",
        "val_data_root": "none",
        "test_data_root": "none",
        "return_georeference": True,
    }
    return {
        "class_path": "terratorch.datamodules.GenericNonGeoSegmentationDataModule",
        "init_args": {key: value for key, value in (arguments | changes).items() if value is not ...},
    }


def present(data_changes: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A file as they are written now; `changes` are arguments of the task, model_args among them."""
    arguments: dict[str, Any] = {
        "model_args": {
            "backbone": "prithvi_eo_v2_tiny_tl",
            "backbone_bands": SIX,
            "backbone_pretrained": False,
            "backbone_img_size": 64,
            "backbone_use_temporal": True,
            "backbone_temporal_pooling": "diff",
        },
        "output_format": "parquet_joint",
        "output_dir": "out",
        "layers": [3, -1],
        "embedding_pooling": None,
        "has_cls": True,
    }
    model_args = arguments["model_args"] | changes.pop("model_args", {})
    return copy.deepcopy({
        "seed_everything": 7,
        "trainer": {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "precision": "32-true"},
        "data": data(**(data_changes or {})),
        "model": {
            "class_path": "terratorch.tasks.EmbeddingGenerationTask",
            "init_args": arguments | changes | {"model_args": model_args},
        },
    })  # fmt: skip


def older() -> dict[str, Any]:
    """The same wish in the keys of older files."""
    tree = present()
    arguments = tree["model"]["init_args"]
    arguments |= {
        "model": "prithvi_eo_v2_tiny_tl",
        "model_args": {"bands": SIX, "pretrained": False, "img_size": 64},
        "temporal_cfg": {"temporal_wrapper": True, "temporal_pooling": "diff"},
    }
    return tree
