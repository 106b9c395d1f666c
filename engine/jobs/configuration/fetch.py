"""What a fetching is asked to do: weights of backbones, or the imagery of a catalogue, before there is no network."""

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
    scene: StacScene | None = Field(
        None, description="Scenes of a catalogue, whose rasters are written to this machine, cut to them."
    )

    @model_validator(mode="after")
    def _asks_for_one(self) -> Self:
        if bool(self.names) == (self.scene is not None):
            raise ValueError("either names, or a scene of source: stac, says what is fetched")
        return self

    @property
    def title(self) -> str:
        """What is fetched, in words."""
        return self.scene.title if self.scene is not None else ", ".join(self.names)

    @property
    def slug(self) -> str:
        """What its run folder's name says."""
        return self.scene.collection if self.scene is not None else self.names[0]
