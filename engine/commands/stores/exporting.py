"""The command that writes embeddings for other programs, in any of the forms."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from engine.commands.printer import say

_EVERY_S = 1.0


def export(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write a store's embeddings for other programs."""
    from engine.learning.quantisation_loss import probe_of
    from engine.store.emb_footer import warnings_of
    from engine.store.store import EmbeddingStore
    from engine.views.export.forms import export as write
    from engine.workspace import workspace_of

    store = EmbeddingStore.open(Path(chosen.store))
    found = write(
        store, chosen.layer, Path(chosen.out), chosen.format, chosen.dtype, _Teller(),
        probe_of(workspace_of(store.folder.parent)),
    )  # fmt: skip
    for path in found.files:
        say(f"Wrote {path}")
    for note in (*warnings_of(store.meta), *found.notes, *([found.loss.sentence()] if found.loss else [])):
        say(note)
    return {
        "out": [str(path) for path in found.files], "format": chosen.format, "dtype": found.dtype, "notes": list(found.notes),
        "loss": found.loss.facts() if found.loss else None, "is_simulated": store.meta.is_simulated, "is_random": store.meta.is_random,
        "licence": store.meta.licence, "attribution": store.meta.attribution,
    }  # fmt: skip


class _Teller:
    """Says how far the work is, at most once a second after its first one."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, step: str, done: int, total: int) -> None:
        if time.monotonic() - self._last >= _EVERY_S:
            self._last = time.monotonic()
            say(f"{step}: {done:,} of {total:,}" if total else step)
