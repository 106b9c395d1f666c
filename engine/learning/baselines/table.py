"""Every baseline, by the name of the task that it belongs to, the one that headlines name first; other tasks have none."""

from __future__ import annotations

from collections.abc import Mapping

from engine.learning.baselines.baseline import Baseline
from engine.learning.baselines.forest import PixelForest
from engine.learning.baselines.nbr import DnbrThreshold, NbrThreshold
from engine.learning.tasks.table import BURN_SCARS

BASELINES: Mapping[str, tuple[Baseline, ...]] = {
    BURN_SCARS.name: (NbrThreshold(BURN_SCARS), DnbrThreshold(BURN_SCARS), PixelForest(BURN_SCARS)),
}
