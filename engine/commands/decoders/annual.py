"""The command that asks whether an annual product serves as well as embeddings of one date."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.commands.jobs import ranked
from engine.jobs.configuration.annual_against_dated import annual_against_dated as preset
from engine.jobs.configuration.config import overridden, parse_config
from engine.store.store import EmbeddingStore


def annual_against_dated(chosen: argparse.Namespace) -> dict[str, Any]:
    """Run the leaderboard of an annual product and a dated extraction on the labelled ground that they share."""
    from engine.learning.splits.for_intervals import division_for_intervals

    annual, dated, *more = (
        Path(one).expanduser().resolve() for one in (chosen.annual, chosen.dated, *chosen.beside)
    )
    stores = [EmbeddingStore.open(store) for store in (dated, annual, *more)]
    labels = None if chosen.labels is None else str(Path(chosen.labels).expanduser().resolve())
    found = preset(
        str(annual),
        str(dated),
        labels,
        more=[str(one) for one in more],
        split=division_for_intervals(stores[0].tiles),
    )
    tree = overridden(found.model_dump(mode="json"), chosen.set)
    return ranked(parse_config(tree, "These settings"), chosen)
