"""The command that takes embeddings of others into a store."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from engine.commands.imagery.cut import region_given
from engine.commands.printer import say
from engine.errors import BadInput

_MODEL = re.compile(r"[A-Za-z0-9][\w./-]{0,63}")


def import_file(chosen: argparse.Namespace) -> dict[str, Any]:
    """Say what a file of embeddings is, and make a store of it."""
    from engine.store.importing.forms import understand
    from engine.store.importing.taking import import_embeddings

    if chosen.model is not None and not _MODEL.fullmatch(chosen.model):
        raise BadInput(
            f"The model {chosen.model!r} is no name: letters, digits and . _ / - are allowed. Give another --model."
        )
    region = None if chosen.region is None else region_given(chosen.region)
    images = None if chosen.images is None else Path(chosen.images)
    if images is not None and not images.is_dir():
        raise BadInput(f"{images} is no folder of images. Check --images.")
    if chosen.look:
        seen = understand(Path(chosen.path), region, chosen.model, images)
        if not chosen.json:
            print("\n".join(seen.in_lines()))
        return {"store": None, "patches": seen.rows, **seen.facts()}
    if chosen.out is None:
        raise BadInput(
            "--out names the run folder that the store is made in. Give it, or --look to write nothing."
        )
    told, store = import_embeddings(
        Path(chosen.path), Path(chosen.out).resolve(), region, chosen.model, say, images, chosen.in_place
    )
    say(f"Opened in place: {store.folder}" if chosen.in_place else f"Wrote {store.folder}")
    return {"store": str(store.folder), "tiles": len(store.tiles), "patches": store.rows, **told.facts()}
