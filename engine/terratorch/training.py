"""A TerraTorch file that trains a decoder on embeddings, as a training of ours, and how each of its keys was read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ConfigError
from engine.jobs.configuration.config import TrainConfig, parse_config
from engine.terratorch import decoder, embeddings, optimization
from engine.terratorch.data_and_trainer import DATA
from engine.terratorch.keys import KeyRead, Keys, boolean, integer, require
from engine.terratorch.model import MODEL

TASK, DATA_MODULE = "SemanticSegmentationTask", "GenericNonGeoSegmentationDataModule"
_OWN_LOOP = "the loop of Emberscope is its own: it validates every epoch, keeps the best state and tests once"
_IGNORED = {
    "trainer.*": _OWN_LOOP,
    "out_dtype": "predictions are classes and probabilities",
    "custom_modules_path": "no code from elsewhere is run",
    "deploy_config_file": "the run folder keeps its configuration",
    "return_predictions": "maps are written",
    "model.title": "only a name",
    f"{MODEL}.title": "only a name",
    f"{MODEL}.plot_on_val": "maps of validation chips are kept epoch by epoch",
    f"{MODEL}.freeze_backbone": "embeddings are frozen already",
    f"{MODEL}.model_factory": "the decoder is built here",
    f"{MODEL}.output_on_inference": "maps hold the class and its probability",
    f"{MODEL}.test_dataloaders_names": "there is one test split",
    f"{MODEL}.tiled_inference_parameters*": "embeddings are small; nothing is tiled",
    f"{MODEL}.tiled_inference_on_*": "embeddings are small; nothing is tiled",
    f"{MODEL}.model_args.backbone_pretrained": "embeddings are there already",
    f"{MODEL}.model_args.rescale": "predictions always lie on the labels' pixels",
    f"{MODEL}.model_args.image_size_out": "predictions always lie on the labels' pixels",
    f"{MODEL}.model_args.backbone_embedding_shape*": "shapes are counted from the files",
    f"{DATA}.predict_*": "nothing is predicted here",
    f"{DATA}.embedding_input": "embeddings are what is read",
    f"{DATA}.num_workers": "files are read once, into a store",
    f"{DATA}.pin_memory": "files are read once, into a store",
    f"{DATA}.persistent_workers": "files are read once, into a store",
    f"{DATA}.drop_last": "no chip is left out",
    f"{DATA}.rgb_indices": "colours are chosen on the page",
    f"{DATA}.return_georeference": "labels say where chips lie",
    f"{DATA}.check_stackability": "all chips are checked",
    f"{DATA}.allow_substring_*": "chips are found by what their names begin with",
    f"{DATA}.ignore_split_file_extensions": "endings in split files are passed over",
}
_KNOWN = [
    "seed_everything", "accelerator", "devices", "num_nodes", "precision", "max_epochs", "callbacks", "gradient_clip_val",
    "batch_size", "num_workers", "num_classes", "img_grep", "label_grep", "no_label_replace", "embedding_input", "train_split",
    "val_split", "test_split", "train_data_root", "val_data_root", "test_data_root", "train_label_data_root",
    "val_label_data_root", "test_label_data_root", "train_transform", "model_args", "backbone", "backbone_out_channels",
    "necks", "decoder", "decoder_channels", "head_dropout", "head_channel_list", "rescale", "image_size_out", "loss",
    "ignore_index", "freeze_backbone", "freeze_decoder", "class_names", "class_weights", "optimizer", "lr_scheduler", "lr",
    "weight_decay",
]  # fmt: skip


@dataclass(frozen=True)
class TrainingRead:
    """What a TerraTorch file of a training becomes.

    Attributes:
        config: the training.
        lines: how each of its keys was read, in the file's terms.
        warnings: what a person should know before the run, in sentences.
    """

    config: TrainConfig
    lines: tuple[KeyRead, ...]
    warnings: tuple[str, ...]


def is_training(tree: dict[str, Any]) -> bool:
    """Whether a TerraTorch file trains on a data module, instead of making embeddings."""
    model = tree.get("model")
    return isinstance(model, dict) and str(model.get("class_path", "")).rpartition(".")[2] == TASK


def translate_training(tree: dict[str, Any], where: str, base: Path | None = None) -> TrainingRead:
    """The training that a downstream file asks for.

    Args:
        where: names the file in messages.
        base: folder from which its relative paths are meant; None: the working directory.

    Raises:
        ConfigError: keys that cannot be honoured, all of them in one message.
    """
    keys = Keys(tree)
    require(keys, "model.class_path", TASK, "a class for every pixel")
    require(keys, "data.class_path", DATA_MODULE, "folders of embeddings and of labels")
    files = embeddings.files(keys, base)
    taught = embeddings.task(keys)
    head, augment = decoder.head(keys, files)
    made: dict[str, Any] = {
        "kind": "train", **files.made, **taught, "head": head, "augment": augment,
        "loss": optimization.loss(keys, taught), **optimization.steps(keys), **optimization.trainer(keys),
        **embeddings.batches(keys, files),
    }  # fmt: skip
    seed = keys.take("seed_everything")
    if seed is not None:
        made["seed"] = (integer(seed.value) or 0) if not isinstance(seed.value, bool) else 0
        keys.read_as(seed, f"seed: {made['seed']}")
    _require_learning(keys)
    keys.ignore_rest(_IGNORED, _KNOWN)
    _raise_refusals(keys, where)
    config = parse_config(made, where)
    assert isinstance(config, TrainConfig)
    return TrainingRead(config, keys.in_file_order(), tuple(files.warnings))


def _require_learning(keys: Keys) -> None:
    """Refuse a decoder that is to keep its weights, or to start from those of a checkpoint."""
    checkpoint = keys.take("ckpt_path")
    if checkpoint is not None and not checkpoint.is_none:
        keys.refuse(
            checkpoint, "names a checkpoint of TerraTorch; a decoder begins with weights of its own here"
        )
    elif checkpoint is not None:
        keys.ignore(checkpoint, "there is none")
    for name in ("freeze_decoder", "freeze_head"):
        found = keys.take(f"{MODEL}.{name}")
        if found is not None and boolean(found.value):
            keys.refuse(found, "leaves a decoder with the weights that it was drawn with; set it to false")
        elif found is not None:
            keys.ignore(found, "false changes nothing")


def _raise_refusals(keys: Keys, where: str) -> None:
    if keys.refusals:
        refused: list[KeyRead] = [line for line in keys.in_file_order() if line.verdict == "refused"]
        listed = "; ".join(f"{line.key} ({line.found}) {line.words}" for line in refused)
        raise ConfigError(
            f"{where} cannot be run as a TerraTorch file that trains a decoder on embeddings: {listed}. Correct these keys "
            f"and leave the others as they are."
        )
