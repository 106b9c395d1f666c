"""Labels that were read before for the same store and settings, found again without opening a scene.

A small file beside the labels says which label files they were read from; while these are as they were, nothing else is
looked at: a training begins at once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LabelError
from engine.files import read_json, write_atomic
from engine.jobs.configuration.config import LabelsConfig
from engine.labels.reading import LabelReading
from engine.labels.sidecar import Labels, open_labels
from engine.store.store import EmbeddingStore

_VERSION = 1


@dataclass(frozen=True)
class Remembered:
    """Labels, and what was said of the gaps of their pixels."""

    labels: Labels
    note: str


def remembered(store: EmbeddingStore, config: LabelsConfig, reading: LabelReading) -> Remembered | None:
    """The labels of an earlier training; None where there are none, or a label file has changed."""
    path = _path(store, config, reading)
    try:
        tree = read_json(path)
        as_they_were = all(file_state(Path(name)) == [name, *state] for name, *state in tree["files"])
        return Remembered(open_labels(path.parent / tree["labels"]), tree["note"]) if as_they_were else None
    except (OSError, ValueError, KeyError, TypeError, LabelError):
        return None


def remember(
    store: EmbeddingStore, config: LabelsConfig, reading: LabelReading, labels: Labels, note: str
) -> None:
    """Write down where labels came from.

    Raises:
        DiskFull: no room.
    """
    tree = {
        "labels": labels.path.name,
        "note": note,
        "files": [file_state(Path(name)) for name in labels.files],
    }
    text = json.dumps(tree)
    path = _path(store, config, reading)
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def file_state(path: Path) -> list[object]:
    """Path, size and time of a file.

    Raises:
        OSError: it is gone.
    """
    state = path.stat()
    return [str(path), state.st_size, state.st_mtime_ns]


def _path(store: EmbeddingStore, config: LabelsConfig, reading: LabelReading) -> Path:
    asked = [
        _VERSION, store.meta.config_hash, store.meta.scene_fingerprints, store.rows, config.model_dump(mode="json"),
        reading.values, reading.titles, reading.missing, reading.identity,
    ]  # fmt: skip
    key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return store.folder.parent / "labels" / f"asked-{key[:12]}.json"
