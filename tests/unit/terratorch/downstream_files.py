"""A TerraTorch downstream file, as its tutorial trains on HLS Burn Scars, over small folders."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any


def downstream(
    chips: Path, embeddings: Path, data: dict[str, Any] | None = None, **model: Any
) -> dict[str, Any]:
    """The file; a change of ... removes a key, `model_args` are changed one by one."""
    arguments: dict[str, Any] = {
        "batch_size": 2, "num_workers": 2, "num_classes": 2, "img_grep": "*_embedding.tif", "label_grep": "*.mask.tif",
        "no_label_replace": -1, "embedding_input": True, "val_transform": None, "test_transform": None,
        "train_transform": [
            {"class_path": "albumentations.D4"}, {"class_path": "albumentations.pytorch.transforms.ToTensorV2"},
        ],
    }  # fmt: skip
    for name in ("train", "val", "test"):
        arguments |= {
            f"{name}_data_root": str(embeddings), f"{name}_label_data_root": str(chips / "data"),
            f"{name}_split": str(chips / "splits" / f"{name}.txt"),
        }  # fmt: skip
    decoder: dict[str, Any] = {
        "backbone": "IdentityBackbone", "decoder": "FCNDecoder", "decoder_channels": 16, "decoder_num_convs": 1,
        "head_dropout": 0.1, "num_classes": 2, "rescale": True,
    }  # fmt: skip
    own = {
        "model_factory": "EncoderDecoderFactory", "loss": "ce", "ignore_index": -1, "freeze_backbone": True,
        "freeze_decoder": False, "class_names": ["Not burned", "Burn scar"],
    }  # fmt: skip
    changed = own | model | {"model_args": _without(decoder | model.pop("model_args", {}))}
    return copy.deepcopy({
        "seed_everything": 3,
        "trainer": {
            "accelerator": "cpu", "devices": 1, "precision": "16-mixed", "max_epochs": 4, "log_every_n_steps": 5,
            "callbacks": [{"class_path": "RichProgressBar"},
                          {"class_path": "EarlyStopping", "init_args": {"monitor": "val/loss", "patience": 2}}],
        },
        "data": {"class_path": "GenericNonGeoSegmentationDataModule", "init_args": _without(arguments | (data or {}))},
        "model": {"class_path": "terratorch.tasks.SemanticSegmentationTask", "init_args": _without(changed)},
        "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.01, "weight_decay": 0.05}},
        "lr_scheduler": {"class_path": "ReduceLROnPlateau", "init_args": {"monitor": "val/loss"}},
    })  # fmt: skip


def _without(tree: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if value is not ...}
