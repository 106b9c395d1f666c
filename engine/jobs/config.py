"""What a job is asked to do: the one YAML that the browser writes and the command line reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import ConfigError
from engine.jobs.complaints import in_words


class Frozen(BaseModel):
    """Immutable, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileScene(Frozen):
    """One raster: GeoTIFF (or JPEG 2000) with a CRS and named or declared bands."""

    source: Literal["file"]
    path: str = Field(description="GeoTIFF with a CRS; band descriptions name the bands.")
    sensor: str | None = Field(None, description="Sensor of the table; null reads it from the file.")


class ChipsScene(Frozen):
    """A folder in the layout of HLS Burn Scars: data/*_merged.tif, data/*.mask.tif, splits/*.txt."""

    source: Literal["chips"]
    path: str = Field(description="Folder with data/ and splits/.")


class SimulatedScene(Frozen):
    """The simulated fire season, made from its seed when it is not there yet."""

    source: Literal["simulated"]
    seed: int = Field(0, ge=0, description="The same seed gives the same bytes.")
    date: Literal["post", "pre", "both"] = Field(
        "post", description="Before or after the fires, or both dates."
    )


SceneConfig = Annotated[FileScene | ChipsScene | SimulatedScene, Field(discriminator="source")]


class RegionConfig(Frozen):
    """Where to look: exactly one of bounds, a file or a polygon, in lon/lat degrees (EPSG:4326)."""

    bounds_lonlat: tuple[float, float, float, float] | None = Field(
        None, description="West, south, east, north in degrees."
    )
    polygon_lonlat: tuple[tuple[float, float], ...] | None = Field(
        None, description="Corners as [lon, lat] in degrees, as drawn on the map."
    )
    file: str | None = Field(None, description="GeoJSON with one polygon in lon/lat.")

    @model_validator(mode="after")
    def _exactly_one(self) -> RegionConfig:
        given = [self.bounds_lonlat, self.polygon_lonlat, self.file]
        if sum(value is not None for value in given) != 1:
            raise ValueError("give exactly one of bounds_lonlat, polygon_lonlat and file")
        return self


class BackboneConfig(Frozen):
    """Which encoder looks, with which weights, and which of its layers are kept."""

    name: str = Field(description="A name of `python -m engine backbones`.")
    weights: str = Field(
        "pretrained", description="pretrained, random (said wherever it shows), or a checkpoint's path."
    )
    layers: tuple[int, ...] | None = Field(
        None, description="Layers to keep, one column each; negative counts from the end; null: the card's."
    )
    temporal: Literal["mean", "max", "difference", "concatenate", "keep"] = Field(
        "mean", description="How dates are joined by a backbone that takes one date at a time."
    )
    settings: dict[str, str] = Field(
        default_factory=dict, description="Conventions that upstream leaves open; see the card."
    )


class TilesConfig(Frozen):
    """The chips that the encoder is given."""

    size_px: int | None = Field(
        None, ge=16, le=2048, description="Side of a tile in pixels; null: the card's chip size."
    )
    gsd_m: float | None = Field(
        None, gt=0, description="Resample to this ground sampling distance in metres; null: never."
    )
    unreadable: Literal["fail", "skip"] = Field(
        "fail", description="A tile that cannot be read ends the run, or is skipped and recorded."
    )


class OutputConfig(Frozen):
    """How embeddings are kept."""

    dtype: Literal["float16", "float32"] = Field("float16", description="float16 halves the store.")


class ExtractConfig(Frozen):
    """JOB 1: pixels through a frozen backbone into an embedding store."""

    kind: Literal["extract"] = "extract"
    scene: SceneConfig
    region: RegionConfig | None = Field(None, description="null: everything that the scenes cover.")
    backbone: BackboneConfig
    granularity: Literal["patch", "tile"] = Field("patch", description="One row a patch, or a tile.")
    pooling: Literal["mean", "max", "cls"] | None = Field(
        None, description="How a tile's patches become one row; only with granularity: tile."
    )
    tiles: TilesConfig = TilesConfig()
    output: OutputConfig = OutputConfig()
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:1, mps."
    )
    batch_size: int | None = Field(None, ge=1, le=4096, description="Chips a batch; null: found by itself.")
    seed: int = Field(0, ge=0, description="The only source of chance in the run.")

    @model_validator(mode="after")
    def _pooling_goes_with_tiles(self) -> ExtractConfig:
        if (self.granularity == "tile") != (self.pooling is not None):
            raise ValueError("pooling (mean, max or cls) goes with granularity: tile, and only with it")
        return self


class LabelsConfig(Frozen):
    """Where the truth comes from: the masks of the scenes, or one raster over them."""

    source: Literal["scene", "raster"] = "scene"
    path: str | None = Field(
        None, description="Label raster (1 burnt, 0 not, -1 missing) for source: raster."
    )

    @model_validator(mode="after")
    def _path_goes_with_raster(self) -> LabelsConfig:
        if (self.source == "raster") != (self.path is not None):
            raise ValueError("path goes with source: raster, and only with it")
        return self


class SplitConfig(Frozen):
    """Which places teach, which choose and which judge; always by place, never by patch."""

    by: Literal["auto", "files", "place"] = Field(
        "auto", description="files: splits/*.txt of the scenes; place: blocks of tiles; auto: files if there."
    )
    validation: float = Field(0.2, gt=0, lt=0.5, description="Share of places for validation (by: place).")
    test: float = Field(0.2, gt=0, lt=0.5, description="Share of places for the test (by: place).")


class HeadConfig(Frozen):
    """The decoder on the frozen embeddings."""

    name: Literal["mlp", "linear", "conv"] = Field(
        "mlp", description="mlp, linear, or conv (sees neighbours)."
    )
    hidden: tuple[int, ...] = Field((256, 128), description="Widths of the hidden layers (mlp, conv).")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of activations dropped in training.")


class LossConfig(Frozen):
    """What the training minimises; missing pixels never count."""

    name: Literal["cross_entropy", "dice", "focal", "cross_entropy_dice"] = "cross_entropy_dice"
    burned_weight: float = Field(1.0, gt=0, description="Weight of the burnt class in cross-entropy.")


class TrainConfig(Frozen):
    """JOB 2: a light decoder learns burn scars from a store and its labels."""

    kind: Literal["train"] = "train"
    store: str | ExtractConfig = Field(
        description="A store's folder, or an extract configuration (inline or its file) made first if needed."
    )
    labels: LabelsConfig = LabelsConfig()
    layers: tuple[int, ...] | None = Field(None, description="Columns of the store to use; null: all.")
    split: SplitConfig = SplitConfig()
    head: HeadConfig = HeadConfig()
    loss: LossConfig = LossConfig()
    learning_rate: float = Field(1e-3, gt=0, le=1, description="AdamW step size at its peak.")
    weight_decay: float = Field(1e-2, ge=0, le=1, description="AdamW weight decay.")
    epochs: int = Field(40, ge=1, le=1000, description="Passes over the training places.")
    patience: int = Field(
        10, ge=1, description="Stop after this many epochs without a better validation IoU."
    )
    batch_patches: int = Field(4096, ge=1, description="Patches a step.")
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:1, mps."
    )
    seed: int = Field(0, ge=0, description="The only source of chance in the run.")


JobConfig = ExtractConfig | TrainConfig
_KINDS: dict[str, type[ExtractConfig] | type[TrainConfig]] = {"extract": ExtractConfig, "train": TrainConfig}


def load_config(path: Path, overrides: Sequence[str] = ()) -> JobConfig:
    """The configuration of a YAML file, with `key.path=value` overrides applied in order.

    A train configuration's `store` that names a YAML file (relative to the configuration's folder, or to
    the working directory) is replaced by that extract configuration.

    Raises:
        ConfigError: the file is absent, is not YAML, or a key or value cannot be used.
    """
    tree = read_yaml(path)
    for override in overrides:
        _apply_override(tree, override)
    store = tree.get("store")
    if tree.get("kind") == "train" and isinstance(store, str) and store.endswith((".yaml", ".yml")):
        beside = path.parent / store
        tree["store"] = read_yaml(beside if beside.is_file() else Path(store))
    return parse_config(tree, where=str(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        ConfigError: the file is absent or does not hold a mapping.
    """
    if not path.is_file():
        raise ConfigError(f"a configuration file was wanted; {path} is not there. Check the path.")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise ConfigError(
            f"{path} is not YAML: {' '.join(str(err).split())}. Mend it and try again."
        ) from err
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{path} was wanted as keys and values, and holds {type(tree).__name__}. Start with 'kind:'."
        )
    return tree


def parse_config(tree: dict[str, Any], where: str = "the configuration") -> JobConfig:
    """The typed configuration of a plain mapping.

    Raises:
        ConfigError: in one line: which key, what was found, what is allowed.
    """
    kind = tree.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigError(f"{where}: kind was wanted as extract or train, found {kind!r}. Set 'kind:'.")
    try:
        return _KINDS[kind].model_validate(tree)
    except ValidationError as err:
        raise ConfigError(f"{where}: {in_words(err, _KINDS[kind])}") from err


def to_yaml(config: JobConfig) -> str:
    """The configuration as YAML, in the order of its fields, with every default written out."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def config_hash(config: JobConfig) -> str:
    """sha256 of what decides the result: everything but the device and the batch size."""
    tree = config.model_dump(mode="json", exclude={"device", "batch_size"})
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def _apply_override(tree: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise ConfigError(
            f"--set was wanted as key.path=value, found {override!r}. Example: --set backbone.name=raw"
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
