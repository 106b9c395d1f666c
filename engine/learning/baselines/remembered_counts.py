"""Counts of a baseline that takes long to fit, kept beside its pixels and found again by what they were counted from."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from engine.errors import EngineError
from engine.files import make_folder, read_json, write_atomic
from engine.learning.truth import LabelledTile
from engine.store.store import EmbeddingStore

_FOLDER = "baselines"


def remembered_counts(
    raw: EmbeddingStore, rule: Mapping[str, object], taught: Sequence[LabelledTile], tested: Sequence[LabelledTile],
    count: Callable[[], np.ndarray],
) -> np.ndarray:  # fmt: skip
    """The counts of an earlier training on the same pixels, labels and split; else they are counted now, and kept.

    Args:
        rule: everything that decides the baseline besides pixels and labels.
        count: gives (tiles, N) counts of the tested tiles.
    """
    path = raw.folder.parent / _FOLDER / f"{_key(raw, rule, taught, tested)}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        found = np.array(read_json(path), np.int64)
        if found.ndim == 2 and len(found) == len(tested):
            return found
    counts = count()
    with contextlib.suppress(OSError, EngineError):  # a folder that takes no file costs time, nothing else
        make_folder(path.parent)
        text = json.dumps(counts.tolist())
        write_atomic(path, lambda temporary: _write(temporary, text))
    return counts


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _key(
    raw: EmbeddingStore,
    rule: Mapping[str, object],
    taught: Sequence[LabelledTile],
    tested: Sequence[LabelledTile],
) -> str:
    told = hashlib.sha256(
        json.dumps([dict(rule), raw.meta.config_hash, raw.meta.scene_fingerprints], default=str).encode()
    )
    for tiles in (taught, tested):
        for one in tiles:
            told.update(f"{one.tile.id} {one.pixels.shape} {one.pixels.dtype}".encode())
            told.update(np.ascontiguousarray(one.pixels).tobytes())
        told.update(b"|")
    return told.hexdigest()[:32]
