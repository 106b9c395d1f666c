"""A TerraTorch file that generates embeddings, as an extraction of ours, and how each of its keys was read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ConfigError
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.terratorch import data_and_trainer, model
from engine.terratorch.data_and_trainer import DATA
from engine.terratorch.keys import KeyRead, Keys, integer, require
from engine.terratorch.model import MODEL

_TASK, _DATA_MODULE = "EmbeddingGenerationTask", "GenericNonGeoSegmentationDataModule"
_NO_LABELS = "labels are not read for embeddings"
_NO_TRAINING = "nothing is trained here"
_OTHER_SPLITS = "only predict_data_root is embedded"
# Keys without a bearing on embeddings, and why.
_IGNORED = {
    "trainer.*": "belongs to Lightning's loop; " + _NO_TRAINING,
    "optimizer*": _NO_TRAINING,
    "lr_scheduler*": _NO_TRAINING,
    "return_predictions": "rows go to the store",
    "out_dtype": "output.dtype is float16, enough for embeddings; float32 is a setting",
    "custom_modules_path": "no code from elsewhere is run",
    "deploy_config_file": "the run folder keeps its configuration",
    "ckpt_path": "a task's checkpoint holds nothing but the frozen backbone",
    f"{MODEL}.embed_file_key": "rows carry the chip's name",
    f"{MODEL}.title": "only a name",
    "model.title": "only a name",
    f"{MODEL}.model_args.*temporal_n_timestamps": "dates are counted from the scenes",
    f"{MODEL}.model_args.*num_frames": "dates are counted from the scenes",
    f"{DATA}.*_label_data_root": _NO_LABELS,
    f"{DATA}.label_grep": _NO_LABELS,
    f"{DATA}.no_label_replace": _NO_LABELS,
    f"{DATA}.ignore_index": _NO_LABELS,
    f"{DATA}.num_classes": _NO_LABELS,
    f"{DATA}.class_names": _NO_LABELS,
    f"{DATA}.reduce_zero_label": _NO_LABELS,
    f"{DATA}.train_*": _OTHER_SPLITS,
    f"{DATA}.val_*": _OTHER_SPLITS,
    f"{DATA}.test_*": _OTHER_SPLITS,
    f"{DATA}.rgb_indices": "colours are chosen on the page",
    f"{DATA}.return_georeference": "rows always carry their location",
    f"{DATA}.check_stackability": "chips of several sizes are batched by size",
    f"{DATA}.num_workers": "readers are threads of the run itself",
    f"{DATA}.pin_memory": "transfers are the run's own affair",
    f"{DATA}.persistent_workers": "readers are threads of the run itself",
    f"{DATA}.drop_last": "no chip is left out",
    f"{DATA}.allow_substring_*": "chips are found by img_grep alone",
    f"{DATA}.ignore_split_file_extensions": "chips are found by img_grep alone",
}
_KNOWN = [
    "seed_everything", "predict_output_dir", "accelerator", "devices", "num_nodes", "precision", "batch_size",
    "num_workers", "num_classes", "check_stackability", "no_data_replace", "img_grep", "predict_data_root", "means",
    "stds", "return_georeference", "dataset_bands", "output_bands", "constant_scale", "backbone", "backbone_bands",
    "backbone_modalities", "backbone_pretrained", "backbone_img_size", "backbone_use_temporal",
    "backbone_temporal_pooling", "model_args", "output_format", "output_dir", "layers", "embedding_pooling", "has_cls",
    "temporal_cfg", "model",
]  # fmt: skip


@dataclass(frozen=True)
class Translation:
    """What a TerraTorch file becomes.

    Attributes:
        config: the extraction.
        out: the run folder that it asks for, if it does.
        lines: how each of its keys was read, in the file's terms.
        warnings: what a person should know before the run, in sentences.
    """

    config: ExtractConfig
    out: Path | None
    lines: tuple[KeyRead, ...]
    warnings: tuple[str, ...]


def is_terratorch(tree: dict[str, Any]) -> bool:
    """Whether a mapping is a file of TerraTorch's (or of Lightning's command line at all)."""
    return "kind" not in tree and any(
        isinstance(tree.get(part), dict) and "class_path" in tree[part] for part in ("model", "data")
    )


def translate(tree: dict[str, Any], where: str) -> Translation:
    """The extraction that a generation file asks for.

    Args:
        where: names the file in messages.

    Raises:
        ConfigError: keys that cannot be honoured, all of them in one message.
    """
    keys = Keys(tree)
    require(keys, "model.class_path", _TASK, "a task that generates embeddings")
    require(keys, "data.class_path", _DATA_MODULE, "a folder of chips")
    _raise_refusals(keys, where)
    made, warnings = _read(keys)
    if not made:  # no backbone: what its other keys mean depends on it
        _raise_refusals(keys, where)
    out = data_and_trainer.output(keys)
    keys.ignore_rest(_IGNORED, _KNOWN)
    _raise_refusals(keys, where)
    config = parse_config(made, where)
    assert isinstance(config, ExtractConfig)
    return Translation(config, out, keys.in_file_order(), tuple(warnings))


def _raise_refusals(keys: Keys, where: str) -> None:
    if keys.refusals:
        listed = "; ".join(
            f"{line.key} ({line.found}) {line.words}"
            for line in keys.in_file_order()
            if line.verdict == "refused"
        )
        raise ConfigError(
            f"{where} cannot be run as a TerraTorch file that generates embeddings of chips: {listed}. Correct these keys "
            f"and leave the others as they are."
        )


def _read(keys: Keys) -> tuple[dict[str, Any], list[str]]:
    """The configuration as a mapping, and warnings; what cannot be read is noted in the keys."""
    spec = model.backbone(keys)
    if spec is None:
        return {}, []
    weights, temporal = model.weights(keys), model.dates(keys)
    settings = model.modality(keys, spec)
    spec, bands = model.bands(keys, spec, settings)
    made: dict[str, Any] = {
        "kind": "extract",
        "scene": data_and_trainer.scene(keys, bands),
        **data_and_trainer.run(keys),
    }
    data_and_trainer.pixels(keys)
    _image_size(keys)
    pooling = model.pooling(keys, spec)
    made["backbone"] = {
        "name": spec.name,
        "weights": weights,
        "layers": model.layers(keys, spec),
        "temporal": temporal,
        "settings": settings | model.merging(keys, spec) | model.subset(spec, bands),
    }
    made |= {"granularity": "patch" if pooling is None else "tile", "pooling": pooling}
    warnings, scale = data_and_trainer.statistics(keys, spec, settings, bands)
    if scale is not None:
        made["scene"] |= {"scale": scale}
    return made, warnings


def _image_size(keys: Keys) -> None:
    found = model.argument(keys, "img_size")
    if found is None or found.is_none:
        return
    if integer(found.value) is None:
        keys.refuse(found, "must be a number of pixels")
    else:
        keys.ignore(
            found, "each chip is embedded whole, at its own size, as TerraTorch does; tiles.size_px cuts it"
        )
