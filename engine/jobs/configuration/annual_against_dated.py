"""The preset that asks whether an annual product serves as well as embeddings of one date: a leaderboard of the two."""

from __future__ import annotations

from engine.jobs.configuration.extract import ExtractConfig
from engine.jobs.configuration.labels import LabelsConfig
from engine.jobs.configuration.leaderboard import LeaderboardConfig
from engine.jobs.configuration.train import HeadConfig, TrainConfig

_EPOCHS = 15


def annual_against_dated(
    annual: str | ExtractConfig, dated: str | ExtractConfig, labels: str | None = None, head: str = "linear"
) -> LeaderboardConfig:
    """One head on both, taught and judged on the labelled ground that they share, with three seeds.

    The dated store is the first: its pixels are judged, and its images give the baselines.

    Args:
        annual, dated: folders of stores, or extractions that are made first.
        labels: a label raster; None: the masks of the dated store's scenes.
    """
    source = LabelsConfig() if labels is None else LabelsConfig(source="raster", path=labels)
    return LeaderboardConfig(
        stores=(dated, annual),
        heads=(HeadConfig.model_validate({"name": head}),),
        ground="shared",
        training=TrainConfig(store="", labels=source, epochs=_EPOCHS),
    )
