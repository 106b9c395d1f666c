"""Embeddings that are read from the file of whoever made them, window by window, when a view asks for them.

A store in place is a folder with one small file, which says what the embeddings were understood to be when they were opened,
and in what state the file was: another state is refused, for what was understood might no longer hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.errors import StoreError
from engine.store.parts import StorePart
from engine.store.products.degree_rows import degree_parts
from engine.store.products.raster_rows import raster_parts
from engine.store.products.raster_sets.set_parts import set_parts
from engine.store.products.tables.table_rows import table_parts
from engine.store.products.terratorch.chip_rows import chip_parts
from engine.store.products.zarr.group import groups_of
from engine.store.schema import StoreMeta, parse_metadata

# What tells the state of a folder, such as a Zarr store.
_OF_FOLDERS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
# What tells the state of a folder of files of embeddings.
_ENDINGS = (".tif", ".tiff", ".npy", ".parquet", ".json")
# How the rows of each kind of file are read, by the word in `Taken.in_place`.
_PARTS: Mapping[str, Callable[[Path, StoreMeta, Mapping[str, Any]], tuple[StorePart, ...]]] = {
    "raster": raster_parts, "rasters": set_parts, "table": table_parts, "chips": chip_parts,
    "degrees": degree_parts,
}  # fmt: skip


def open_in_place(reference: Path) -> tuple[StoreMeta, tuple[StorePart, ...]]:
    """What a store in place is, and the parts of it; nothing of its embeddings is read.

    Raises:
        StoreError: its file is gone, or was changed since.
    """
    try:
        told = json.loads(reference.read_text(encoding="utf-8"))
        path, stamp, rows = Path(told["path"]), told["stamp"], told["rows"]
        meta, _ = parse_metadata({b"emberscope": json.dumps(told["store"]).encode()}, reference.name)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise StoreError(f"{reference} is damaged ({str(err)[:80]}). Open the embeddings again.") from err
    if not path.exists():
        raise StoreError(
            f"{path.name}, whose embeddings are read where they lie, is no longer at {path}. Bring it back, or open it again."
        )
    if stamp_of(path) != stamp:
        raise StoreError(
            f"{path.name} was changed since its embeddings were opened, and what was understood may no longer hold. Open it again."
        )
    return meta, _PARTS[rows["kind"]](path, meta, rows)


def stamp_of(path: Path) -> str:
    """Another word for another state of a file, or of the metadata of a folder."""
    files = _described_by(path)
    if path.is_dir() and not files:
        return _stamp_of_files(path)
    groups = groups_of(path) if files else []
    files += [file for group in groups for file in _described_by(group)] if len(groups) > 1 else []
    states = [(file.name, file.stat()) for file in files or [path]]
    return " ".join(f"{name}:{state.st_size}:{state.st_mtime_ns}" for name, state in states)


def _described_by(folder: Path) -> list[Path]:
    return [folder / name for name in _OF_FOLDERS if (folder / name).is_file()]


def _stamp_of_files(folder: Path) -> str:
    """Number, bytes and newest time of the files of embeddings below a folder."""
    count = size = newest = 0
    for place, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(_ENDINGS):
                state = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118, a path each would take longer than the rest
                count, size, newest = count + 1, size + state.st_size, max(newest, state.st_mtime_ns)
    return f"{folder.name}:{count}:{size}:{newest}"
