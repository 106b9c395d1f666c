"""What a training is asked to do: a store, a task, labels, a split, a head."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from engine.frozen import Frozen
from engine.jobs.configuration.embedding_files import EmbeddingFilesConfig
from engine.jobs.configuration.extract import ExtractConfig
from engine.jobs.configuration.labels import LabelsConfig
from engine.jobs.configuration.task import PresetName, TaskConfig, check_task, is_of_numbers, is_of_tiles


class SplitConfig(Frozen):
    """Which tiles train, which choose the best epoch and which test; always complete tiles, never single patches."""

    by: Literal["auto", "files", "place", "chip", "fire", "block", "date"] = Field(
        "auto",
        description="files: splits/*.txt of the scenes; place: chips that share ground, or blocks of tiles; chip: chips one by "
        "one; fire: chips near one another in one year; block: squares of block_m; date: the latest dates test; auto: files "
        "if there, else place.",
    )
    validation: float = Field(
        0.2, gt=0, lt=0.5, description="Share of the places for validation (all but by: files)."
    )
    test: float = Field(
        0.2, gt=0, lt=0.5, description="Share of the places for the test (all but by: files)."
    )
    seed: int | None = Field(
        None, ge=0, description="Seed of the draw (by: place, chip, fire, block); null: the training's seed."
    )
    buffer_m: float = Field(
        0.0,
        ge=0,
        description="Training tiles within this distance of a test tile are left out, in metres; 0: none.",
    )
    block_m: float = Field(10_000.0, gt=0, description="Side of a square of by: block, in metres.")
    fire_m: float = Field(
        5_000.0, ge=0, description="Chips nearer than this in one year are of one fire (by: fire), in metres."
    )


BaselineName = Literal["nbr", "dnbr", "forest"]
"""Rules on raw pixels that a decoder of burn scars is compared with; `engine/learning/baselines/table.py` has each."""

HeadName = Literal["mlp", "linear", "conv", "fusion", "knn", "forest"]
"""The heads; `engine/learning/heads/table.py` has the code of each."""
# Heads that are fitted at once, without gradient.
WITHOUT_GRADIENT: tuple[HeadName, ...] = ("knn", "forest")
# Heads that see the patches around a patch.
SEE_NEIGHBOURS: tuple[HeadName, ...] = ("conv", "fusion")


class HeadConfig(Frozen):
    """The decoder on the frozen embeddings."""

    name: HeadName = Field(
        "mlp",
        description="mlp, linear, conv (sees neighbours), fusion (joins layers, each at its own resolution), and without "
        "gradient knn and forest.",
    )
    hidden: tuple[Annotated[int, Field(ge=1, le=8192)], ...] = Field(
        (256, 128),
        max_length=8,
        description="Widths of the hidden layers (mlp, conv); of a level and after (fusion).",
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of activations dropped in training.")
    pixels: Literal["block", "interpolate"] = Field(
        "block",
        description="How a patch becomes pixels. block: the head gives each pixel of a patch an output of its own; "
        "interpolate: one output a patch, bilinear between the centres of patches.",
    )
    neighbours: int = Field(5, ge=1, le=1000, description="Training patches that are asked (knn).")
    trees: int = Field(100, ge=1, le=1000, description="Trees (forest).")

    @property
    def has_gradient(self) -> bool:
        """Whether it learns epoch by epoch, and not at once."""
        return self.name not in WITHOUT_GRADIENT

    @property
    def sees_neighbours(self) -> bool:
        """Whether it wants whole tiles, not single patches."""
        return self.name in SEE_NEIGHBOURS or self.pixels == "interpolate"

    @model_validator(mode="after")
    def _has_the_hidden_layers_that_it_needs(self) -> HeadConfig:
        if self.name in SEE_NEIGHBOURS and not self.hidden:
            raise ValueError(
                f"the head {self.name} needs one hidden width or more; {self.name} without any sees nothing"
            )
        return self


LossTerm = Literal["cross_entropy", "dice", "focal", "lovasz", "jaccard", "squared", "absolute", "huber"]
"""What can be minimised, alone or in a weighted sum."""
OF_NUMBERS: tuple[LossTerm, ...] = ("squared", "absolute", "huber")


class LossConfig(Frozen):
    """What the training minimises; missing pixels never count."""

    name: LossTerm | Literal["cross_entropy_dice", "sum"] = Field(
        "cross_entropy_dice",
        description="cross_entropy, dice, focal, lovasz, jaccard, cross_entropy_dice (both, added), sum (of terms); for "
        "numbers squared, absolute or huber.",
    )
    terms: dict[LossTerm, Annotated[float, Field(gt=0)]] | None = Field(
        None,
        min_length=1,
        description="Losses and their weights, for name: sum, such as {cross_entropy: 1, lovasz: 0.5}.",
    )
    burned_weight: float = Field(
        1.0, gt=0, description="Weight of the burnt class in cross-entropy (task: burn_scars)."
    )
    weights: Literal["given", "balanced"] = Field(
        "given",
        description="Weights of the classes in cross-entropy and focal: as given, or balanced by how rare they are on the "
        "training tiles.",
    )

    @property
    def summed(self) -> dict[LossTerm, float]:
        """Every loss that counts with its weight."""
        match self.name:
            case "sum":
                return dict(self.terms or {})
            case "cross_entropy_dice":
                return {"cross_entropy": 1.0, "dice": 1.0}
            case name:
                return {name: 1.0}

    @model_validator(mode="after")
    def _terms_go_with_a_sum(self) -> LossConfig:
        if (self.name == "sum") != (self.terms is not None):
            raise ValueError("terms goes with name: sum, and only with it")
        return self


def _store_kind(store: object) -> str:
    """Which of its forms a store is given in."""
    if isinstance(store, str):
        return "folder"
    kind = store.get("kind") if isinstance(store, dict) else getattr(store, "kind", None)
    return "embedding_files" if kind == "embedding_files" else "extract"


StoreGiven = Annotated[
    Annotated[str, Tag("folder")]
    | Annotated[ExtractConfig, Tag("extract")]
    | Annotated[EmbeddingFilesConfig, Tag("embedding_files")],
    Discriminator(_store_kind),
]


class TrainConfig(Frozen):
    """JOB 2: a light decoder learns from a store and its labels."""

    kind: Literal["train"] = "train"
    store: StoreGiven = Field(
        description="A store's folder, an extract configuration (inline or its file) made first if needed, or embeddings "
        "that another program left as files (kind: embedding_files)."
    )
    task: PresetName | TaskConfig = Field(
        "burn_scars",
        description="What is learned: a preset (burn_scars, burn_severity, dnbr, tile_burnt), or a segmentation, a regression "
        "or a tile classification of your own.",
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
    optimizer: Literal["adamw", "adam"] = Field(
        "adamw", description="AdamW, whose weight decay is apart from the gradient, or Adam."
    )
    schedule: Literal["cosine", "plateau", "constant"] = Field(
        "cosine",
        description="After the warm-up the step size falls by a cosine to nothing, is halved where validation stays, or stays.",
    )
    warm_up: float = Field(
        0.05, ge=0, lt=1, description="Share of the steps over which the step size climbs."
    )
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Step size at its peak.")
    weight_decay: float = Field(1e-2, ge=0, le=1, description="Weight decay.")
    clip_norm: float | None = Field(
        None, gt=0, description="Longest gradient: a longer one is shortened to it; null: never."
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="Of the head's products; bfloat16 is for GPUs, where it is faster."
    )
    augment: Literal["none", "flips"] = Field(
        "none",
        description="flips: each training tile is turned and flipped in one of eight ways, embeddings and labels together; "
        "for heads that see neighbours. A patch's own embedding stays as it is.",
    )
    epochs: int = Field(40, ge=1, le=1000, description="Passes over the training tiles.")
    patience: int = Field(
        10, ge=1, description="Stop after this many epochs without a better validation score."
    )
    batch_patches: int = Field(4096, ge=1, description="Patches a step.")
    baselines: tuple[BaselineName, ...] = Field(
        ("nbr", "dnbr", "forest"),
        description="What is scored on the same test pixels (burn_scars): nbr and dnbr, thresholds chosen on the training "
        "places (dnbr where there are two dates), forest, a random forest on raw bands.",
    )
    watch_tile: str | None = Field(
        None,
        description="Validation tile whose map is shown at every epoch; null: the one with the most mixed labels.",
    )
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

    @model_validator(mode="before")
    @classmethod
    def _numbers_have_a_loss_of_their_own(cls, tree: object) -> object:
        """Without a loss of its own a task of numbers minimises the squared error."""
        if isinstance(tree, dict) and is_of_numbers(tree.get("task")) and not tree.get("loss"):
            return {**tree, "loss": {"name": "squared"}}
        return tree

    @model_validator(mode="after")
    def _burned_weight_goes_with_burn_scars(self) -> TrainConfig:
        if self.task != "burn_scars" and self.loss.burned_weight != 1:
            raise ValueError("loss.burned_weight goes with task: burn_scars; give task.classes a weight each")
        return self

    @model_validator(mode="after")
    def _loss_goes_with_the_task(self) -> TrainConfig:
        takes_numbers = is_of_numbers(self.task)
        for term in self.loss.summed:
            if (term in OF_NUMBERS) != takes_numbers:
                kinds = (
                    OF_NUMBERS if takes_numbers else ("cross_entropy", "dice", "focal", "lovasz", "jaccard")
                )
                what = "numbers" if takes_numbers else "classes"
                raise ValueError(
                    f"loss.name {term} is no loss of {what}, which this task learns; use {', '.join(kinds)}"
                )
        if takes_numbers and self.loss.weights != "given":
            raise ValueError("loss.weights: balanced goes with tasks of classes; a regression has none")
        return self

    @model_validator(mode="after")
    def _flips_go_with_heads_that_see_neighbours(self) -> TrainConfig:
        if self.augment == "flips" and not (self.head.name in SEE_NEIGHBOURS and self.head.has_gradient):
            raise ValueError(
                f"augment: flips turns whole tiles, and the head {self.head.name} sees one patch at a time; use it with "
                f"{' or '.join(SEE_NEIGHBOURS)}"
            )
        return self

    @model_validator(mode="after")
    def _single_rows_have_no_neighbours(self) -> TrainConfig:
        if is_of_tiles(self.task) and self.head.sees_neighbours:
            raise ValueError(
                f"a task with one label a tile has no neighbouring patches; the head {self.head.name} with "
                f"pixels: {self.head.pixels} needs them. Use mlp, linear, knn or forest with pixels: block"
            )
        return self
