"""Labels beside a store, under the keys of its patches: one label for every pixel, missing ones marked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import LabelError
from engine.files import write_atomic
from engine.store.store import EmbeddingStore

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Labels:
    """A sidecar of one store; relabelling writes another one and never runs the encoder.

    Attributes:
        path: the Parquet file.
        source: where the labels come from, in words.
        pixels: labelled pixels of each class, by its title.
        missing: pixels without a label.
        notes: what a person should know of how they were read.
        files: the label rasters, where they were just looked at.
    """

    path: Path
    source: str
    pixels: Mapping[str, int]
    missing: int
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = field(default=(), compare=False)


def open_labels(path: Path) -> Labels:
    """The sidecar in a file.

    Raises:
        LabelError: absent, damaged or of another schema.
    """
    try:
        raw = (pq.read_schema(path).metadata or {}).get(b"emberscope_labels")
    except (OSError, pa.ArrowInvalid) as err:
        raise LabelError(f"{path} cannot be read as labels. Train again to build them.") from err
    facts = json.loads(raw) if raw else {}
    if facts.get("schema_version") != SCHEMA_VERSION:
        raise LabelError(
            f"{path} is no file of labels of schema {SCHEMA_VERSION}. Delete it and train again."
        )
    pixels = facts.get("pixels") or {
        "not burnt": facts["unburned"],
        "burnt": facts["burned"],
    }  # the first version
    return Labels(path, facts["source"], pixels, facts["missing"], tuple(facts.get("notes", ())))


def read_labels(labels: Labels, store: EmbeddingStore) -> np.ndarray:
    """Labels of all patches.

    Returns:
        (rows, p * p) in the order of the store; within a patch row-major from the north-west.

    Raises:
        LabelError: the sidecar belongs to another store.
    """
    # read_table would import pyarrow.dataset and with it pandas: a third of a second of each training's start
    with pq.ParquetFile(labels.path) as file:
        table = file.read(columns=["tile_id", "labels"])
    ids = table["tile_id"].combine_chunks().dictionary_encode().dictionary.to_pylist()
    if table.num_rows != store.rows or ids != [tile.id for tile in store.tiles]:
        raise LabelError(
            f"{labels.path} holds the labels of another store than {store.folder} ({table.num_rows} rows, not "
            f"{store.rows}). Build them again."
        )
    # to_numpy would import pandas, a third of a second
    flat = [np.from_dlpack(chunk.flatten()) for chunk in table["labels"].chunks]
    return np.concatenate(flat).reshape(store.rows, -1)


def write_labels(labels: Labels, store: EmbeddingStore, values: np.ndarray, key: str) -> None:
    """Write the labels of a store.

    Args:
        values: (rows, p * p) in the order of the store's rows.
        key: identifies what they were made of.

    Raises:
        DiskFull: no room for the file.
    """
    counts = [tile.rows for tile in store.tiles]
    within = [np.divmod(np.arange(tile.rows, dtype=np.int32), np.int32(tile.w)) for tile in store.tiles]
    facts = {
        "schema_version": SCHEMA_VERSION, "source": labels.source, "key": key, "pixels": dict(labels.pixels),
        "missing": labels.missing, "notes": list(labels.notes),
    }  # fmt: skip
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    table = pa.table({
        "tile_id": pa.array(np.repeat([tile.id for tile in store.tiles], counts)),
        "row": np.concatenate([row for row, _ in within]),
        "col": np.concatenate([col for _, col in within]),
        "labels": pa.FixedSizeListArray.from_arrays(flat, values.shape[1]),
    }).replace_schema_metadata({b"emberscope_labels": json.dumps(facts).encode()})  # fmt: skip
    write_atomic(labels.path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))
