"""What an application of a decoder is asked to do: the decoder, and the ground that it maps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from engine.frozen import Frozen
from engine.jobs.configuration.extract import ExtractConfig

Adapt = Literal["none", "centre", "standardise", "auto"]
"""Whether a decoder is adapted to the place that it maps."""


class ApplyConfig(Frozen):
    """JOB 3: a trained decoder maps ground: the class of each pixel, and how likely it is."""

    kind: Literal["apply"] = "apply"
    decoder: str = Field(description="Run folder of a finished training.")
    ensemble: tuple[str, ...] = Field(
        (),
        max_length=15,
        description="More trainings of the same task on the same embeddings, such as other seeds: probabilities are averaged, "
        "and where they disagree is a map of its own.",
    )
    ground: tuple[str | ExtractConfig, ...] = Field(
        min_length=1,
        max_length=64,
        description="Folders of stores, or extract configurations made first if needed; each becomes a map, and each date of ground with several.",
    )
    titles: tuple[str, ...] = Field(
        (), max_length=64, description="What each ground is called, in their order; empty: after its files."
    )
    adapt: Adapt = Field(
        "none",
        description="centre: the mean that embeddings are standardised by is drawn half way to that of the place that is "
        "mapped; standardise: the deviation too. Both were found to help under strong haze and in other climates, and to harm "
        "elsewhere, standardise more so. auto: centre where a decoder of burn scars learned from simulated scenes and maps real "
        "ones, else none. none: as taught.",
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="Of the extractions: auto, cpu, cuda, cuda:1, mps.",
    )
