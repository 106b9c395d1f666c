"""The command that writes embeddings for other programs, in any of the forms."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from engine.commands.printer import say
from engine.errors import BadInput

_EVERY_S = 1.0


def export(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write a store's embeddings for other programs."""
    from engine.learning.quantisation_loss import probe_of
    from engine.store.emb_footer import warnings_of
    from engine.store.store import EmbeddingStore
    from engine.views.export.forms import export as write
    from engine.workspace import workspace_of

    store = EmbeddingStore.open(Path(chosen.store))
    if chosen.labels is not None and not Path(chosen.labels).is_file():
        raise BadInput(f"{chosen.labels} is no file. Name the raster of classes with --labels.")
    found = write(
        store, chosen.layer, Path(chosen.out), chosen.format, chosen.dtype, _Teller(),
        probe_of(workspace_of(store.folder.parent), chosen.labels),
    )  # fmt: skip
    unused = (
        ["The labels were not used: no number was made smaller."] if chosen.labels and not found.loss else []
    )
    for path in found.files:
        say(f"Wrote {path}")
    for note in (
        *warnings_of(store.meta),
        *found.notes,
        *unused,
        *([found.loss.sentence()] if found.loss else []),
    ):
        say(note)
    return {
        "out": [str(path) for path in found.files], "format": chosen.format, "dtype": found.dtype, "notes": [*found.notes, *unused],
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
