"""The manifest of a finished store: names, rows and checksums, derived from the parts that are there."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.files import file_sha256, read_json

# Readers of Parquet folders pass over names that begin with an underscore.
MANIFEST = "_manifest.json"


@dataclass(frozen=True)
class ManifestPart:
    """One part as it was when the store was finished."""

    name: str
    rows: int
    sha256: str


def manifest_of(folder: Path) -> tuple[ManifestPart, ...]:
    """What the manifest of a folder's parts should say, from the bytes of the parts."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # sha256 lets other threads run
        return tuple(pool.map(_manifest_part, sorted(folder.glob("part-*.parquet"))))


def _manifest_part(path: Path) -> ManifestPart:
    return ManifestPart(path.name, pq.read_metadata(path).num_rows, file_sha256(path))


def write_manifest(folder: Path, path: Path) -> None:
    """Write the manifest of a folder's parts as JSON to a path."""
    tree = {"parts": [asdict(part) for part in manifest_of(folder)]}
    path.write_text(json.dumps(tree, indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> tuple[ManifestPart, ...]:
    """The manifest of a store.

    Raises:
        StoreError: absent or not a manifest.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise StoreError(f"{folder} has no {MANIFEST}. Extract the store again.")
    try:
        return tuple(ManifestPart(**part) for part in read_json(path)["parts"])
    except (ValueError, KeyError, TypeError) as err:
        raise StoreError(f"The manifest {path} is damaged ({err}). Extract the store again.") from err
