"""The preset that asks whether an annual product serves as well as embeddings of one date: a leaderboard of the two."""

from __future__ import annotations

from collections.abc import Sequence

from engine.jobs.configuration.extract import ExtractConfig
from engine.jobs.configuration.labels import LabelsConfig
from engine.jobs.configuration.leaderboard import LeaderboardConfig
from engine.jobs.configuration.train import HeadConfig, SplitConfig, TrainConfig

# Our own judgement: with 15 epochs linear heads on the simulated season were often cut short; patience ends them earlier.
_EPOCHS = 40
# Pixel products are few tiles of many pixels, and so few steps: at 0.001 a linear head that could tell every scar by one number
# reached an IoU of 0.20, at 0.03 0.97; on the simulated season, too, 0.03 reached more on validation.
_LINEAR_RATE = 0.03


def annual_against_dated(
    annual: str | ExtractConfig,
    dated: str | ExtractConfig,
    labels: str | None = None,
    head: str = "linear",
    more: Sequence[str] = (),
    split: SplitConfig | None = None,
) -> LeaderboardConfig:
    """One head on all, taught and judged on the labelled ground that they share, with three seeds.

    The dated store is the first: its pixels are judged, and its images give the baselines.

    Args:
        annual, dated: folders of stores, or extractions that are made first.
        labels: a label raster; None: the masks of the dated store's scenes.
        more: further stores beside the two, such as other backbones on the same date.
        split: None: that of a training.
    """
    source = LabelsConfig() if labels is None else LabelsConfig(source="raster", path=labels)
    training = TrainConfig(store="", labels=source, epochs=_EPOCHS, split=split or SplitConfig())
    if head == "linear":
        training = training.model_copy(update={"learning_rate": _LINEAR_RATE})
    return LeaderboardConfig(
        stores=(dated, annual, *more),
        heads=(HeadConfig.model_validate({"name": head}),),
        ground="shared",
        training=training,
    )
