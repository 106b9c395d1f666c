"""The job that takes embeddings of others into a run folder: copied into a store, or opened where they lie."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from engine.errors import StoreError
from engine.files import make_folder, write_atomic
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs.configuration.config import ExtractConfig
from engine.jobs.configuration.region import region_of
from engine.jobs.events import Event, ExtractDone, ExtractPlanned, Noticed, StepStarted, TileDone
from engine.paths import resolve_path
from engine.store.importing.forms import opened, require_size, with_model
from engine.store.importing.settled import meta_of
from engine.store.products.in_place import stamp_of
from engine.store.products.taken import Taken
from engine.store.products.understood import UNKNOWN, Understood
from engine.store.schema import StoreMeta
from engine.store.store import FINISHED, REFERENCE, UNFINISHED, EmbeddingStore
from engine.store.writer import StoreWriter

# An event a tile would make logs of megabytes: a tile of a table is one row.
_EVERY_S = 0.5


def is_import(config: ExtractConfig) -> bool:
    """Whether a configuration takes embeddings of others instead of extracting its own."""
    return isinstance(config.scene, PublishedEmbeddings)


def import_job(config: ExtractConfig, folder: Path) -> Iterator[Event]:
    """Take the embeddings that a configuration names into a run folder; an unfinished store is continued.

    Yields:
        Steps, what is to be known of the file, ExtractPlanned, TileDone about twice a second, ExtractDone.

    Raises:
        BadInput: the file or its numbers cannot be used.
        DiskFull: no room; what was written stays for a resume.
    """
    scene = config.scene
    assert isinstance(scene, PublishedEmbeddings)
    path = resolve_path(scene.path or "")
    yield StepStarted(f"Looking at {path.name}")
    images = None if scene.images is None else resolve_path(scene.images)
    with opened(path, region_of(config.region), images, scene.year, config.backbone.name) as found:
        told = _as_configured(found.understood, config)
        yield from (Noticed(note) for note in told.notes)
        require_size(told)
        yield from taken(found, told, config, folder, path)


def taken(found: Taken, told: Understood, config: ExtractConfig, folder: Path, path: Path) -> Iterator[Event]:
    """Fill the store of a run folder with the embeddings of an opened file, or write down where they are.

    Raises:
        StoreError: the file is of a form that can only be copied, and is to be read in place.
        DiskFull: no room.
    """
    meta, began = meta_of(found, told, config, path), time.monotonic()
    yield ExtractPlanned(found.most_tiles, told.rows, 0, told.model, "", "cpu")
    if isinstance(config.scene, PublishedEmbeddings) and config.scene.in_place:
        final = _reference(found, meta, folder, path)
    else:
        final = yield from copied(found, meta, folder, began)
    yield done(final, began)


def done(final: Path, began: float) -> ExtractDone:
    """What the store of an import has become.

    Args:
        began: when the import did, by the monotonic clock.
    """
    store = EmbeddingStore.open(final)
    seconds = round(time.monotonic() - began, 3)
    return ExtractDone(len(store.tiles), store.rows, store.meta.dims[0], seconds, str(store.folder))


def _as_configured(told: Understood, config: ExtractConfig) -> Understood:
    """The file with the model that the configuration names, where the file names none.

    Raises:
        StoreError: it is of another model, or of other numbers, than when it was configured.
    """
    name = config.backbone.name
    if told.model not in (name, UNKNOWN):
        raise StoreError(
            f"{told.path} is of the model {told.model}, and the configuration says {name}. Look at the file again."
        )
    return with_model(told, name)


def copied(found: Taken, meta: StoreMeta, folder: Path, began: float) -> Generator[Event, None, Path]:
    """Write the rows into a store, whose tiles that are there already are kept; returns its folder."""
    with closing(StoreWriter(folder, meta)) as writer:
        there = {tile.id for tile in writer.written}
        done, patches, told_at = 0, 0, 0.0
        for rows in found.tiles():
            done, patches = done + 1, patches + rows.tile.rows
            if rows.tile.id not in there:
                writer.append(rows)
            seconds = time.monotonic() - began
            if seconds - told_at > _EVERY_S:
                told_at = seconds
                yield TileDone(done, max(found.most_tiles, done), patches, round(seconds, 3), rows.tile.id)
        if not done:
            raise StoreError("There is no embedding in the region. Choose another one.")
        yield StepStarted("Checksums")
        return writer.finish()


def _reference(found: Taken, meta: StoreMeta, folder: Path, path: Path) -> Path:
    """Write down what the file is; returns the folder of the store."""
    if not found.in_place:
        raise StoreError(
            f"{path.name} can only be copied: its form is not read in place. Leave in_place out."
        )
    told = {
        "version": 1, "path": str(path.resolve()), "stamp": stamp_of(path), "rows": dict(found.in_place),
        "store": {"meta": asdict(meta), "tiles": []},
    }  # fmt: skip
    final, half = folder / FINISHED, folder / UNFINISHED
    if not final.is_dir():
        make_folder(half)
        text = json.dumps(told)
        write_atomic(half / REFERENCE, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        half.rename(final)
    return final
