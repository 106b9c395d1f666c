"""What a fetching is asked to do: weights of backbones, a published data set, or the imagery of a catalogue."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from engine.frozen import Frozen
from engine.imagery.sources import StacScene


class FetchConfig(Frozen):
    """What is brought to this machine before it is needed, such as before a workshop."""

    kind: Literal["fetch"] = "fetch"
    names: tuple[str, ...] = Field(
        (), max_length=64, description="Names of `python -m engine backbones`, whose weights are fetched."
    )
    dataset: Literal["hls_burn_scars"] | None = Field(
        None, description="A published data set of labelled chips, which is fetched, checked and unpacked."
    )
    scene: StacScene | None = Field(
        None, description="Scenes of a catalogue, whose rasters are written to this machine, cut to them."
    )

    @model_validator(mode="after")
    def _asks_for_one(self) -> Self:
        if sum((bool(self.names), self.dataset is not None, self.scene is not None)) != 1:
            raise ValueError("one of names, dataset, or a scene of source: stac, says what is fetched")
        return self

    @property
    def title(self) -> str:
        """What is fetched, in words."""
        return self.scene.title if self.scene is not None else self.dataset or ", ".join(self.names)

    @property
    def slug(self) -> str:
        """What its run folder's name says."""
        return self.scene.collection if self.scene is not None else self.dataset or self.names[0]
