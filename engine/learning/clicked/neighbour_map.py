"""The map of a classifier by nearest neighbours, which is no linear map: computed here, and drawn from one number a patch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.learning.clicked.taught import Taught
from engine.store.schema import StoredTile
from engine.views.lens.lens import Kind, Lens
from engine.views.lens.reduction_file import Header
from engine.views.lens.scalar_file import scalar_file, scalar_lens


def neighbour_file(path: Path, taught: Taught, kind: Kind, shown: int) -> Header:
    """Write the class of each patch, the probability of one, or how unsure it is, unless the file is there.

    Args:
        kind, shown: as `Classifier.lens` takes them.

    Raises:
        DiskFull: no room.
    """
    highest = float(len(taught.classifier.classes)) if kind == "classes" else 1.0
    identity = identity_of(taught, kind, shown)
    return scalar_file(
        path, identity, highest, lambda: _pieces(taught, kind, shown), is_class=kind == "classes"
    )


def neighbour_lens(taught: Taught, kind: Kind, shown: int) -> Lens:
    """What the numbers of such a file are drawn as.

    A class is the number nearest to what is stored: the largest of 2 c x - c ** 2.
    """
    names = [one.name for one in taught.classifier.classes]
    if kind != "classes":
        name = f"probability of {names[shown]}" if kind == "probability" else "uncertainty"
        return scalar_lens(name, 0.0, 1.0)
    numbers = np.arange(len(names), dtype=np.float64)
    return Lens(
        "classes", np.repeat(2 * numbers[:, None], 2, axis=1), np.zeros(2), -(numbers**2), np.zeros(1), np.ones(1),
        np.array([one.rgba for one in taught.classifier.classes], np.uint8), names=tuple(names),
    )  # fmt: skip


def uncertainty(shares: np.ndarray) -> np.ndarray:
    """(n,) 1 minus the lead of the largest of (n, C) shares over the next."""
    ordered = np.sort(shares, axis=1)
    return np.asarray(1 - (ordered[:, -1] - ordered[:, -2]))


def identity_of(taught: Taught, kind: Kind, shown: int) -> str:
    """sha256 of all that the numbers depend on."""
    classifier, view = taught.classifier, taught.view
    told = [
        str(view.store.folder), view.store.folder.stat().st_mtime_ns, view.date, view.view.layer, view.view.position, kind, shown,
        classifier.neighbours, [(one.name, one.colour) for one in classifier.classes],
    ]  # fmt: skip
    made = hashlib.sha256(repr(told).encode())
    made.update(np.ascontiguousarray(classifier.features).tobytes())
    made.update(np.ascontiguousarray(classifier.truth).tobytes())
    return made.hexdigest()


def _pieces(taught: Taught, kind: Kind, shown: int) -> Iterator[tuple[StoredTile, np.ndarray]]:
    for tile, values, valid in taught.view.tiles():
        shares = taught.classifier.probabilities(values.reshape(tile.rows, -1))
        if kind == "classes":
            numbers = shares.argmax(axis=1).astype(np.float64)
        else:
            numbers = shares[:, shown] if kind == "probability" else uncertainty(shares)
        yield tile, np.where(valid > 0, numbers.reshape(tile.h, tile.w), np.nan)
