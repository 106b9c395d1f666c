"""What a measurement of a store is asked to do: a UMAP of a layer, or how far a shift by one pixel moves embeddings."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

from pydantic import Field

from engine.frozen import Frozen


class UmapConfig(Frozen):
    """Patches of a layer laid out in a plane, so that neighbours stay neighbours (McInnes et al. 2018)."""

    name: Literal["umap"] = "umap"
    layer: int | None = Field(None, description="As counted by the backbone; none: the first of the store.")
    window: int | None = Field(
        None, description="Patches along a side whose mean is laid out; none: about 16 px."
    )
    date: str | None = Field(
        None, description="first, last or a day, where a store has several of the same ground."
    )
    position: Literal["keep", "remove"] = Field(
        "keep", description="remove: the mean of each place in the window is taken off."
    )
    patches: int = Field(
        10_000, ge=10, le=50_000, description="Patches that are laid out, evenly spread; at most so many."
    )
    neighbours: int = Field(15, ge=2, le=200, description="Nearest patches that are to stay near.")
    min_distance: float = Field(0.1, ge=0.0, lt=1.0, description="How close points may lie.")
    seed: int = Field(0, ge=0, le=2**31, description="Of the layout; the same seed gives the same one.")


class ShiftConfig(Frozen):
    """Some tiles encoded again, shifted by one pixel."""

    name: Literal["shift"] = "shift"
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:1, mps."
    )


class MeasureConfig(Frozen):
    """A measurement that takes longer than a page may wait; the result is kept beside the store."""

    kind: Literal["measure"] = "measure"
    store: str = Field(description="Run folder, or folder of a store.")
    what: Annotated[UmapConfig | ShiftConfig, Field(discriminator="name")]

    @property
    def device(self) -> str:
        """The device that is held meanwhile."""
        return self.what.device if isinstance(self.what, ShiftConfig) else "cpu"

    @property
    def title(self) -> str:
        """What is measured, in words."""
        return "UMAP" if isinstance(self.what, UmapConfig) else "Shift by one pixel"

    @property
    def command(self) -> str:
        """Arguments of `python -m engine` that measure the same."""
        if isinstance(self.what, ShiftConfig):
            return shlex.join(["health", self.store, "--shift", "--device", self.what.device])
        changed = self.what.model_dump(exclude_defaults=True)
        flags = [f"--{key.replace('_', '-')}={value}" for key, value in changed.items()]
        return shlex.join(["umap", self.store, *flags])
