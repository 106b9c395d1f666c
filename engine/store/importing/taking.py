"""Embeddings of others taken into a new run folder in one call, so that everything that works on a store works on them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from engine.errors import BadInput
from engine.files import make_folder
from engine.imagery.region import Region
from engine.jobs.event_log import append_event
from engine.jobs.events import ExtractDone, Finished, TileDone
from engine.jobs.folder import create
from engine.store.importing.forms import opened, require_size, with_model
from engine.store.importing.job import taken
from engine.store.importing.settled import config_of
from engine.store.products.understood import Understood
from engine.store.store import EmbeddingStore


def import_embeddings(
    path: Path,
    out: Path,
    region: Region | None = None,
    model: str | None = None,
    tell: Callable[[str], object] = lambda _: None,
    images: Path | None = None,
    in_place: bool = False,
    year: int | None = None,
) -> tuple[Understood, EmbeddingStore]:
    """Make the run folder `out` with a store of the embeddings in a file, recorded as a finished extraction.

    Args:
        model: the encoder's name, where the file does not tell it.
        tell: hears what was understood, before anything is written, and how far the work is.
        images: folder with the images of chips, where a folder of embeddings does not say where they lie.
        year: which of the dates of a Zarr group; None: all.
        in_place: leave the embeddings where they are, and read them when they are looked at.

    Raises:
        BadInput: the file or its numbers cannot be used, or `out` holds something; nothing is written then.
        DiskFull: no room; what was written is removed.
    """
    _require_free(out)
    with opened(path, region, images, year, model) as found:
        told, was_there = with_model(found.understood, model), out.is_dir()
        for line in told.in_lines():
            tell(line)
        require_size(told)
        config = config_of(path, found, told, region, in_place, images, year)
        try:
            create(out, config)
            for event in taken(found, told, config, out, path):
                append_event(out, event)
                if isinstance(event, TileDone):
                    tell(f"{event.done:,} of {event.total:,} tiles")
                if isinstance(event, ExtractDone):
                    append_event(out, Finished(_summary(event)))
        except BaseException:
            shutil.rmtree(out, ignore_errors=True)
            if was_there:
                out.mkdir(exist_ok=True)
            raise
    return told, EmbeddingStore.open(out)


def _summary(done: ExtractDone) -> dict[str, object]:
    return {key: getattr(done, key) for key in ("tiles", "patches", "dim", "seconds", "store")}


def _require_free(out: Path) -> None:
    """Check that nothing lies where the run folder is to be.

    Raises:
        BadInput: something does.
    """
    make_folder(out.parent)
    if out.is_file():
        raise BadInput(f"{out} is a file, and a folder is to be made there. Choose another --out.")
    if out.is_dir() and any(out.iterdir()):
        raise BadInput(f"{out} already holds files. Choose another --out.")
