"""What a leaderboard is asked to do: backbones by heads by seeds, taught and tested alike on the same places."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from engine.frozen import Frozen
from engine.jobs.configuration.extract import ExtractConfig
from engine.jobs.configuration.train import SEE_NEIGHBOURS, HeadConfig, TrainConfig

Position = Literal["keep", "remove"]
Travel = Literal["place", "date", "sensor", "level", "store"]
FEW_LABELS = (0.01, 0.05, 0.1, 0.5, 1.0)
# Keys of a training that a leaderboard sets itself, decoder by decoder.
_OWN = ("store", "head", "seed", "layers", "position", "watch_tile", "device")


class LeaderboardConfig(Frozen):
    """JOB 5: decoders on several backbones, taught alike, tested once on the same places and compared."""

    kind: Literal["leaderboard"] = "leaderboard"
    stores: tuple[str | ExtractConfig, ...] = Field(
        min_length=1,
        max_length=64,
        description="Folders of stores of the same ground, or extract configurations made first if needed. For one scene and "
        "several backbones write scene: and backbones: [NAME, ...] instead.",
    )
    heads: tuple[HeadConfig, ...] = Field(
        (HeadConfig(name="linear"), HeadConfig(name="mlp"), HeadConfig(name="knn")),
        min_length=1,
        description="Heads, each a name or a head as in a training.",
    )
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 1, 2), min_length=1, description="Seeds of weights and batches; the split is the same for all."
    )
    layers: tuple[tuple[int, ...] | Literal["each"] | None, ...] = Field(
        (None,),
        min_length=1,
        description="Sets of layers to compare, as in a training; null: all that a store has; each: every one of them by itself.",
    )
    positions: tuple[Position, ...] = Field(
        ("keep",),
        min_length=1,
        description="keep, remove, or both to compare them: the mean of each place in the window is taken off first.",
    )
    label_shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        (),
        description="Few-label curves: shares of the training places, such as [0.01, 0.05, 0.1, 0.5, 1]; none: no curves.",
    )
    travel: Literal["none"] | Travel | tuple[Travel, ...] = Field(
        "none",
        description="A matrix of decoders trained on one group and tested on the others: place (parts of the ground), date, "
        "sensor, level, or store; a list makes a matrix of each.",
    )
    travel_stores: tuple[str | ExtractConfig, ...] = Field(
        (),
        max_length=64,
        description="More stores of the same backbones for the matrix, of other ground, dates, sensors or levels.",
    )
    ground: Literal["same", "shared"] = Field(
        "same",
        description="same: stores of the same tiles and places; shared: stores of other pixels, tiles and extents, all taught and "
        "judged on the labelled pixels of the first store that every store has, with its labels.",
    )
    training: TrainConfig = Field(
        TrainConfig(store=""),
        description="What all trainings share: task, labels, split, loss, epochs and the other keys of a training.",
    )
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:1, mps."
    )

    @model_validator(mode="before")
    @classmethod
    def _backbones_of_one_scene(cls, tree: object) -> object:
        """`scene` and `backbones` become one extraction a backbone."""
        if not isinstance(tree, dict) or not {"scene", "backbones", "region"} & tree.keys():
            return tree
        rest = {key: value for key, value in tree.items() if key not in ("scene", "backbones", "region")}
        backbones = tree.get("backbones")
        if not (tree.get("scene") and isinstance(backbones, list) and backbones):
            raise ValueError("scene and backbones (a list of names) go together; give both, or stores")
        shared = {"scene": tree["scene"], "region": tree.get("region"), "device": tree.get("device", "auto")}
        made = [{**shared, "backbone": {"name": one} if isinstance(one, str) else one} for one in backbones]
        return {**rest, "stores": [*made, *tree.get("stores", ())]}

    @field_validator("heads", mode="before")
    @classmethod
    def _heads_by_name(cls, heads: object) -> object:
        """A head may be given by its name alone."""
        if not isinstance(heads, list | tuple):
            return heads
        return [{"name": one} if isinstance(one, str) else one for one in heads]

    @field_validator("training", mode="before")
    @classmethod
    def _sets_nothing_of_its_own(cls, training: object) -> object:
        """The keys that differ from decoder to decoder are the leaderboard's."""
        if not isinstance(training, dict):
            return training
        usual = TrainConfig(store="").model_dump(mode="json")
        given = [
            key for key in _OWN if key in training and _plain(training[key]) not in (usual[key], "", None)
        ]
        if given:
            raise ValueError(
                f"{', '.join(given)} differ from decoder to decoder; set them as stores, heads, seeds, layers, positions and device"
            )
        return {**{key: value for key, value in training.items() if key not in _OWN}, "store": ""}

    @model_validator(mode="after")
    def _nothing_twice(self) -> LeaderboardConfig:
        for name in (
            "stores",
            "heads",
            "seeds",
            "layers",
            "positions",
            "label_shares",
            "travels",
            "travel_stores",
        ):
            asked = [repr(one) for one in getattr(self, name)]
            twice = next((one for one in asked if asked.count(one) > 1), None)
            if twice is not None:
                raise ValueError(
                    f"{name.replace('travels', 'travel')} names the same twice ({twice:.100}); leave one out"
                )
        return self

    @model_validator(mode="after")
    def _every_head_can_be_trained_so(self) -> LeaderboardConfig:
        for head in self.heads:
            self.training_of("", head, 0, None, "keep")
        return self

    @model_validator(mode="after")
    def _more_stores_are_for_the_matrix(self) -> LeaderboardConfig:
        if self.travel_stores and not self.travels:
            raise ValueError("travel_stores go with travel: place, date, sensor, level or store")
        return self

    @model_validator(mode="after")
    def _shared_ground_has_no_matrix(self) -> LeaderboardConfig:
        if self.ground == "shared" and (self.travels or len(self.stores) < 2):
            raise ValueError("ground: shared compares two stores or more, and goes without travel")
        return self

    @property
    def travels(self) -> tuple[Travel, ...]:
        """What matrices are made by; none: empty."""
        if isinstance(self.travel, tuple):
            return self.travel
        return () if self.travel == "none" else (self.travel,)

    @property
    def head_titles(self) -> tuple[str, ...]:
        """The name of each head, with the settings in which it differs from others of its name."""
        return tuple(
            _title(head, [one for one in self.heads if one.name == head.name]) for head in self.heads
        )

    def training_of(
        self,
        store: str | ExtractConfig,
        head: HeadConfig,
        seed: int,
        layers: tuple[int, ...] | None,
        position: Position,
    ) -> TrainConfig:
        """The training that makes the same decoder by itself.

        Raises:
            ValueError: the training's settings do not go with the head.
        """
        tree = self.training.model_dump(mode="json")
        split = tree["split"]
        if split["seed"] is None:  # the same places for all seeds
            split["seed"] = 0
        if head.name not in SEE_NEIGHBOURS:
            tree["augment"] = "none"
        return TrainConfig.model_validate(
            {
                **tree, "store": _plain(store), "head": _plain(head), "seed": seed, "layers": layers, "position": position,
                "device": self.device,
            }
        )  # fmt: skip


def _title(head: HeadConfig, same: list[HeadConfig]) -> str:
    told = [
        f"{key} {_short(value)}"
        for key, value in head
        if key != "name" and any(getattr(one, key) != value for one in same)
    ]
    return f"{head.name} ({', '.join(told)})" if told else head.name


def _short(value: object) -> str:
    return "-".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def _plain(value: Any) -> Any:
    """A part of a configuration as plain keys and values."""
    return value.model_dump(mode="json") if isinstance(value, Frozen) else value
