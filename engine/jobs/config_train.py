"""What a training is asked to do: a store, labels, a split, a head."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from engine.frozen import Frozen
from engine.jobs.config_extract import ExtractConfig


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
