"""Every baseline, by the name of the task that it belongs to; a task without one is scored alone."""

from __future__ import annotations

from collections.abc import Mapping

from engine.learning.baselines.baseline import Baseline
from engine.learning.baselines.nbr import NbrThreshold
from engine.learning.tasks.table import BURN_SCARS

BASELINES: Mapping[str, Baseline] = {BURN_SCARS.name: NbrThreshold(BURN_SCARS)}
