"""What a job is asked to do: the one YAML that the browser writes and the command line reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from engine.errors import ConfigError
from engine.imagery.sources import ChipsScene, FileScene, FilesScene, SceneConfig, SimulatedScene
from engine.jobs.complaints import in_words
from engine.jobs.configuration.apply import ApplyConfig
from engine.jobs.configuration.dataset import DatasetConfig
from engine.jobs.configuration.embedding_files import EmbeddingFilesConfig, FilesPart
from engine.jobs.configuration.export import ExportConfig
from engine.jobs.configuration.extract import (
    BackboneConfig,
    ExtractConfig,
    OutputConfig,
    RegionConfig,
    TilesConfig,
)
from engine.jobs.configuration.fetch import FetchConfig
from engine.jobs.configuration.labels import LabelsConfig
from engine.jobs.configuration.leaderboard import LeaderboardConfig
from engine.jobs.configuration.measure import MeasureConfig, ShiftConfig, UmapConfig
from engine.jobs.configuration.task import (
    ClassConfig,
    RegressionConfig,
    SegmentationConfig,
    TileClassificationConfig,
)
from engine.jobs.configuration.train import (
    HeadConfig,
    LossConfig,
    SplitConfig,
    TrainConfig,
)

__all__ = [
    "ApplyConfig",
    "BackboneConfig",
    "ChipsScene",
    "ClassConfig",
    "DatasetConfig",
    "EmbeddingFilesConfig",
    "ExportConfig",
    "ExtractConfig",
    "FetchConfig",
    "FileScene",
    "FilesPart",
    "FilesScene",
    "HeadConfig",
    "JobConfig",
    "LabelsConfig",
    "LeaderboardConfig",
    "LossConfig",
    "MeasureConfig",
    "OutputConfig",
    "RegionConfig",
    "RegressionConfig",
    "SceneConfig",
    "SegmentationConfig",
    "ShiftConfig",
    "SimulatedScene",
    "SplitConfig",
    "TileClassificationConfig",
    "TilesConfig",
    "TrainConfig",
    "UmapConfig",
    "config_hash",
    "load_config",
    "overridden",
    "parse_config",
    "read_yaml",
    "to_yaml",
    "yaml_mapping",
]

JobConfig = (
    ExtractConfig
    | TrainConfig
    | ApplyConfig
    | FetchConfig
    | MeasureConfig
    | LeaderboardConfig
    | DatasetConfig
    | ExportConfig
)
# Keys of an extraction and of a training that the first version did not have, with their defaults.
_LATER: dict[str, Any] = {
    "clouds": "keep",
    "tiles": {"overlap_px": 0, "merge": "deepest", "stride_px": None},
}
_LATER_OF_TRAINING: dict[str, Any] = {
    "task": "burn_scars",
    "position": "keep",
    "labels": {"name": None, "folders": [], "pattern": "*.mask.tif"},
    "split": {"seed": None, "buffer_m": 0.0, "block_m": 10_000.0, "fire_m": 5_000.0},
    "head": {"pixels": "block", "neighbours": 5, "trees": 100},
    "loss": {"terms": None, "weights": "given"},
    "optimizer": "adamw",
    "schedule": "cosine",
    "warm_up": 0.05,
    "clip_norm": None,
    "precision": "float32",
    "augment": "none",
    "baselines": ["nbr", "dnbr", "forest"],
}
_NAMES: dict[type[Any], str] = {
    list: "a list",
    str: "text",
    type(None): "nothing",
    dict: "keys that are not words",
}
_KINDS: dict[str, type[JobConfig]] = {
    "extract": ExtractConfig, "train": TrainConfig, "apply": ApplyConfig, "fetch": FetchConfig, "measure": MeasureConfig,
    "leaderboard": LeaderboardConfig, "dataset": DatasetConfig, "export": ExportConfig,
}  # fmt: skip


def load_config(path: Path, overrides: Sequence[str] = ()) -> JobConfig:
    """The configuration of a YAML file, with `key.path=value` overrides applied in order.

    A train configuration's `store`, or one of an apply configuration's `ground` or a leaderboard's `stores`, that names a
    YAML file (relative to the configuration's folder, or to the working directory) is replaced by that extract configuration.

    Raises:
        ConfigError: the file is absent, is not YAML, or a key or value cannot be used.
    """
    tree = overridden(read_yaml(path), overrides)
    if tree.get("kind") == "train":
        tree["store"] = _store_of(tree.get("store"), path.parent)
    if tree.get("kind") == "apply" and isinstance(tree.get("ground"), list):
        tree["ground"] = [_store_of(one, path.parent) for one in tree["ground"]]
    if tree.get("kind") == "leaderboard":
        for key in ("stores", "travel_stores"):
            if isinstance(tree.get(key), list):
                tree[key] = [_store_of(one, path.parent) for one in tree[key]]
    if tree.get("kind") == "dataset" and isinstance(tree.get("perimeters"), dict):
        tree["perimeters"]["file"] = _beside(tree["perimeters"].get("file"), path.parent)
    return parse_config(tree, where=str(path))


def _beside(file: object, folder: Path) -> object:
    """A file as given; the one beside the configuration where that is the only one there is."""
    if not isinstance(file, str) or Path(file).exists() or not (folder / file).is_file():
        return file
    return str((folder / file).resolve())


def _store_of(store: object, folder: Path) -> object:
    """A store as given; an extract configuration where it names the YAML file of one."""
    if not isinstance(store, str) or not store.endswith((".yaml", ".yml")):
        return store
    return read_yaml(folder / store if (folder / store).is_file() else Path(store))


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        ConfigError: the file is absent or does not hold a mapping.
    """
    if not path.is_file():
        raise ConfigError(f"The configuration file {path} is not there. Check the path.")
    return yaml_mapping(path.read_bytes(), str(path))


def yaml_mapping(content: bytes, where: str) -> dict[str, Any]:
    """The mapping that YAML's bytes hold.

    Raises:
        ConfigError: they are not YAML, or not a mapping with words as keys.
    """
    try:
        tree = yaml.safe_load(content.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as err:
        raise ConfigError(
            f"{where} is not YAML: {' '.join(str(err).split())}. Mend it and try again."
        ) from err
    if not isinstance(tree, dict) or not all(isinstance(key, str) for key in tree):
        raise ConfigError(
            f"{where} holds no keys and values but {_NAMES.get(type(tree), 'something else')}. Start with 'kind:'."
        )
    return tree


def overridden(tree: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A mapping with `key.path=value` overrides applied in order, in place.

    Raises:
        ConfigError: an override that is none, or that reaches into a value.
    """
    for override in overrides:
        _apply_override(tree, override)
    return tree


def parse_config(tree: dict[str, Any], where: str = "the configuration") -> JobConfig:
    """The typed configuration of a plain mapping.

    Raises:
        ConfigError: in one line: which key, what was found, what is allowed.
    """
    kind = tree.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigError(
            f"{where}: kind is {kind!r}; it is extract, train, apply, leaderboard or dataset. Set 'kind:'."
        )
    try:
        return _KINDS[kind].model_validate(tree)
    except ValidationError as err:
        raise ConfigError(f"{where}: {in_words(err, _KINDS[kind])}") from err


def to_yaml(config: JobConfig) -> str:
    """The configuration as YAML, in the order of its fields, with every default written out."""
    return yaml.safe_dump(_which_first(config.model_dump(mode="json")), sort_keys=False, allow_unicode=True)


def _which_first(tree: dict[str, Any]) -> dict[str, Any]:
    """The same mapping, `source` and the paths that say which scenes are meant before what is said of them."""
    nested = {key: _which_first(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: nested[key] for key in ("source", "path", "paths", "images") if key in nested} | nested


def config_hash(config: JobConfig) -> str:
    """sha256 of what decides the result: everything but the device, the engine, the batch size, compilation and what is watched.

    Keys that came later count where they are not at their default: earlier stores keep their hash.
    """
    tree = config.model_dump(mode="json", exclude={"device", "batch_size", "watch_tile"})
    match config:
        case ExtractConfig():
            _reduce(tree, config)
        case TrainConfig():
            _drop_defaults(tree, _LATER_OF_TRAINING)
            _reduce(tree["store"], config.store)
        case ApplyConfig():
            _drop_defaults(tree, {"ensemble": [], "adapt": "none"})
            tree.pop("titles")  # a name decides nothing
            for own, one in zip(tree["ground"], config.ground, strict=True):
                _reduce(own, one)
        case LeaderboardConfig():
            every = zip(
                tree["stores"] + tree["travel_stores"], config.stores + config.travel_stores, strict=True
            )
            for own, one in every:
                _reduce(own, one)
            _drop_defaults(tree["training"], _LATER_OF_TRAINING)
            _drop_defaults(tree, {"ground": "same"})
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def _reduce(tree: Any, extraction: str | ExtractConfig | EmbeddingFilesConfig) -> None:
    """Leave out of an extraction what does not decide its result, and later keys at their defaults, in place."""
    if isinstance(extraction, ExtractConfig):
        for key in ("compile", "engine"):
            tree.pop(key, None)
        _drop_defaults(tree, _LATER)
        _drop_defaults(tree["scene"], dict.fromkeys(extraction.scene.added_later))


def _drop_defaults(tree: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """Leave out keys that are at these defaults, in place."""
    for key in defaults.keys() & tree.keys():
        if isinstance(defaults[key], dict):
            _drop_defaults(tree[key], defaults[key])
        elif tree[key] == defaults[key]:
            del tree[key]


def _apply_override(tree: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise ConfigError(
            f"--set {override!r} is not of the form key.path=value. Example: --set backbone.name=raw"
        )
    *parents, leaf = path.split(".")
    for key in parents:
        branch = tree.setdefault(key, {})
        if branch is None:
            branch = tree[key] = {}
        if not isinstance(branch, dict):
            raise ConfigError(
                f"--set {path}: {key!r} holds {branch!r}, not keys. Set {key!r} itself instead."
            )
        tree = branch
    try:
        tree[leaf] = yaml.safe_load(text)
    except yaml.YAMLError as err:
        raise ConfigError(f"--set {path}: {text!r} is not a YAML value. Quote it.") from err
