"""Embedding files taken into a store: once, until a file changes."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.concurrency.ordered_map import ordered_map
from engine.errors import StoreError
from engine.extraction.embedding_files.chips import ChipEmbeddings, chips_of
from engine.extraction.embedding_files.described import Described, described
from engine.extraction.embedding_files.rows import read_chip
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import (
    BackboneConfig,
    EmbeddingFilesConfig,
    ExtractConfig,
    OutputConfig,
)
from engine.jobs.events import Event, ExtractDone, Noticed, StepStarted
from engine.jobs.record import recorded, working_alone
from engine.paths import resolve_path
from engine.store.schema import OF_FILES, SCHEMA_VERSION, StoreMeta, TileRows, column_names
from engine.store.store import FINISHED, EmbeddingStore
from engine.store.writer import StoreWriter

Rows = Callable[[ChipEmbeddings], TileRows]
_READERS = 2
_CHIPS_A_STEP = 200


def taken_folder(chips: Sequence[ChipEmbeddings], root: Path) -> Path:
    """Where the store of some chips is kept; another one when a file of theirs has changed."""
    return root / f"embedding_files-{_key(chips)[:12]}" / FINISHED


def take(config: EmbeddingFilesConfig, root: Path) -> Iterator[Event]:
    """Make the store of embedding files, unless it is there; recorded as an import, so that every page lists it.

    Raises:
        BadInput: files, labels or splits that cannot be used; nothing is written then.
    """
    yield StepStarted("Looking for embeddings and their labels")
    chips = chips_of(config)
    store = taken_folder(chips, root)

    def once_alone() -> Iterator[Event]:
        if store.is_dir():
            return
        made = described(chips)
        run_folder.create(store.parent, _import_of(config, chips, made))
        yield from recorded(store.parent, _taken(chips, made, store.parent))

    yield from working_alone(store.parent, once_alone)


def _import_of(
    config: EmbeddingFilesConfig, chips: Sequence[ChipEmbeddings], made: Described
) -> ExtractConfig:
    """What lists say of the run: an import of the embeddings that train."""
    is_row_a_tile = made.meta.granularity == "tile" if made.meta is not None else made.pooling is not None
    return ExtractConfig(
        scene=PublishedEmbeddings(
            source="embeddings", path=str(resolve_path(config.train.embeddings).resolve()),
            images=str(chips[0].label.parent.resolve()),
        ),
        backbone=BackboneConfig(name=made.backbone if made.meta is None else made.meta.backbone),
        granularity="tile" if is_row_a_tile else "patch", pooling="mean" if is_row_a_tile else None,
        output=OutputConfig(dtype="float32"), device="cpu",
    )  # fmt: skip


def _taken(chips: Sequence[ChipEmbeddings], made: Described, folder: Path) -> Iterator[Event]:
    """Write the store, and say what it holds."""
    began = time.monotonic()
    yield from (Noticed(note) for note in made.notes)
    yield from _write(chips, made, folder)
    store = EmbeddingStore.open(folder / FINISHED)
    seconds = round(time.monotonic() - began, 3)
    yield ExtractDone(len(store.tiles), store.rows, sum(store.meta.dims), seconds, str(store.folder))


def _write(chips: Sequence[ChipEmbeddings], made: Described, folder: Path) -> Iterator[Event]:
    writer: StoreWriter | None = None
    try:
        for number, rows in enumerate(_rows(chips)):
            if writer is None:
                meta = _meta(made, rows, chips)
                writer = StoreWriter(folder, meta)
                written = {tile.id for tile in writer.written}
            _require_alike(rows, meta)
            if number % _CHIPS_A_STEP == 0:
                yield StepStarted(f"Taking embeddings into a store: {number} of {len(chips)} chips")
            if rows.tile.id not in written:
                writer.append(rows)
        assert writer is not None
        writer.finish()
    finally:
        if writer is not None:
            writer.close()


def _rows(chips: Sequence[ChipEmbeddings]) -> Iterator[TileRows]:
    """The rows of the chips, from their files or from the stores that hold them."""
    stores: dict[Path, Rows] = {}

    def rows(chip: ChipEmbeddings) -> TileRows:
        if not isinstance(chip.found, EmbeddingStore):
            return read_chip(chip)
        return stores[chip.found.folder](chip)

    for chip in chips:
        if isinstance(chip.found, EmbeddingStore) and chip.found.folder not in stores:
            stores[chip.found.folder] = _reader(chip.found)
    return ordered_map(chips, rows, _READERS, "embedding-files")


def _reader(store: EmbeddingStore) -> Rows:
    """Reads the rows of a chip of a store, with the split that the chip is given."""
    valid, window = store.read_valid_fraction(), store.read_window_fraction()
    firsts = np.cumsum([0, *(tile.rows for tile in store.tiles)])
    place = {tile.id: (tile, int(first)) for tile, first in zip(store.tiles, firsts[:-1], strict=True)}

    def rows(chip: ChipEmbeddings) -> TileRows:
        tile, first = place[chip.stem]
        layers = tuple(store.read_tile(tile.id, layer).reshape(tile.rows, -1) for layer in store.meta.layers)
        share = 1.0 if window is None else float(window[first])
        return TileRows(replace(tile, split=chip.split), layers, valid[first : first + tile.rows], share)

    return rows


def _meta(made: Described, rows: TileRows, chips: Sequence[ChipEmbeddings]) -> StoreMeta:
    if made.meta is not None:
        return replace(made.meta, config_hash=OF_FILES + _key(chips))
    tile = rows.tile
    is_tile = tile.rows == 1
    layers = (made.layer,)
    meta = StoreMeta(
        schema_version=SCHEMA_VERSION, backbone=made.backbone, weights_sha256="", layers=layers,
        dims=(rows.embeddings[0].shape[1],), columns=column_names(layers),
        granularity="tile" if is_tile else "patch", pooling=made.pooling if is_tile else None,
        patch_px=tile.height_px // tile.h, gsd_m=abs(tile.transform[0]), dtype="float32", bands=made.bands,
        is_simulated=False, source=made.source, config_hash=OF_FILES + _key(chips), config=made.config,
    )  # fmt: skip
    return replace(meta, **made.own)


def _require_alike(rows: TileRows, meta: StoreMeta) -> None:
    """Check that a chip has the dimensions, the patches and the pixels of the first one.

    Raises:
        StoreError: it has others.
    """
    here: dict[str, Any] = {
        "dimensions": tuple(one.shape[1] for one in rows.embeddings),
        "pixels along a patch": rows.tile.height_px // rows.tile.h,
        "metres along a pixel": abs(rows.tile.transform[0]),
    }
    first = {
        "dimensions": meta.dims,
        "pixels along a patch": meta.patch_px,
        "metres along a pixel": meta.gsd_m,
    }
    for what, own in here.items():
        if own != first[what]:
            raise StoreError(
                f"The chip {rows.tile.id} has {what} {own}, and the first one {first[what]}. Give a folder of embeddings of "
                f"one kind."
            )


def _key(chips: Sequence[ChipEmbeddings]) -> str:
    """sha256 of what is taken: names, splits, sizes and times of the files, or the identity of the stores."""
    told = [[chip.id, chip.stem, chip.split, _state(chip.found), _state(chip.label)] for chip in chips]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _state(found: Path | EmbeddingStore) -> list[object]:
    if isinstance(found, EmbeddingStore):
        return [str(found.folder.resolve()), found.meta.config_hash, found.meta.weights_sha256, found.rows]
    state = found.stat()
    return [str(found.resolve()), state.st_size, state.st_mtime_ns]
