"""What a training is asked to do: a store, a task, labels, a split, a head."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from engine.frozen import Frozen
from engine.jobs.config_extract import ExtractConfig
from engine.jobs.config_task import SegmentationConfig, check_task


class LabelsConfig(Frozen):
    """Where the labels come from: the masks of the scenes, or one raster over them."""

    source: Literal["scene", "raster"] = "scene"
    path: str | None = Field(
        None,
        description="Label raster with the values of the task's classes (burn scars: 1 burnt, 0 not) for source: raster; "
        "-1, nodata and masked pixels are missing.",
    )

    @model_validator(mode="after")
    def _path_goes_with_raster(self) -> LabelsConfig:
        if (self.source == "raster") != (self.path is not None):
            raise ValueError("path goes with source: raster, and only with it")
        return self


class SplitConfig(Frozen):
    """Which tiles train, which choose the best epoch and which test; always complete tiles, never single patches."""

    by: Literal["auto", "files", "place"] = Field(
        "auto", description="files: splits/*.txt of the scenes; place: blocks of tiles; auto: files if there."
    )
    validation: float = Field(0.2, gt=0, lt=0.5, description="Share of places for validation (by: place).")
    test: float = Field(0.2, gt=0, lt=0.5, description="Share of places for the test (by: place).")
    seed: int | None = Field(
        None, ge=0, description="Seed of the draw (by: place); null: the training's seed."
    )
    buffer_m: float = Field(
        0.0,
        ge=0,
        description="Training tiles within this distance of a test tile are left out, in metres; 0: none.",
    )


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
    burned_weight: float = Field(
        1.0, gt=0, description="Weight of the burnt class in cross-entropy (task: burn_scars)."
    )


class TrainConfig(Frozen):
    """JOB 2: a light decoder learns from a store and its labels."""

    kind: Literal["train"] = "train"
    store: str | ExtractConfig = Field(
        description="A store's folder, or an extract configuration (inline or its file) made first if needed."
    )
    task: Literal["burn_scars"] | SegmentationConfig = Field(
        "burn_scars", description="What is learned: burn_scars, or a segmentation with classes of your own."
    )
    labels: LabelsConfig = LabelsConfig()
    layers: tuple[int, ...] | None = Field(
        None,
        description="Layers of the store to use; negative counts from the backbone's last, as in an extraction; null: all.",
    )
    position: Literal["keep", "remove"] = Field(
        "keep",
        description="remove: the mean embedding of each place in the window, over the training tiles, is taken off first.",
    )
    split: SplitConfig = SplitConfig()
    head: HeadConfig = HeadConfig()
    loss: LossConfig = LossConfig()
    learning_rate: float = Field(1e-3, gt=0, le=1, description="AdamW step size at its peak.")
    weight_decay: float = Field(1e-2, ge=0, le=1, description="AdamW weight decay.")
    epochs: int = Field(40, ge=1, le=1000, description="Passes over the training tiles.")
    patience: int = Field(
        10, ge=1, description="Stop after this many epochs without a better validation score."
    )
    batch_patches: int = Field(4096, ge=1, description="Patches a step.")
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:1, mps."
    )
    seed: int = Field(
        0, ge=0, description="Seed of the weights and batches, and of the split where split.seed is null."
    )

    @field_validator("task", mode="before")
    @classmethod
    def _task_is_known(cls, task: object) -> object:
        return check_task(task)

    @model_validator(mode="after")
    def _burned_weight_goes_with_burn_scars(self) -> TrainConfig:
        if self.task != "burn_scars" and self.loss.burned_weight != 1:
            raise ValueError("loss.burned_weight goes with task: burn_scars; give task.classes a weight each")
        return self
