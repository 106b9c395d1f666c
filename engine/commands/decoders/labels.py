"""The command that teaches a classifier by a few labels, without the browser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.commands.printer import say
from engine.errors import BadInput, LabelError
from engine.files import require_file_path

if TYPE_CHECKING:
    from engine.learning.clicked.taught import Taught
    from engine.store.schema import StoredTile


def label(chosen: argparse.Namespace) -> dict[str, Any]:
    """Fit a classifier to labels, and write its map, the label raster and the decoder."""
    from engine.labels.clicked.geojson import parse_labels
    from engine.learning.clicked.taught import teach
    from engine.store.store import EmbeddingStore
    from engine.views.comparing.dated_view import dated
    from engine.views.layer_view import view_of
    from engine.views.lens.reduction import reduction_of

    out = Path(chosen.out)
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise BadInput(f"{chosen.out} is to be the map, a GeoTIFF. Give --out a name that ends with .tif.")
    for path in filter(None, (chosen.out, chosen.raster)):
        require_file_path(Path(path))
    file = Path(chosen.labels)
    if not file.is_file():
        raise LabelError(f"There are no labels: no file at {file}.")
    labels, notes = parse_labels(file.read_bytes(), file.name)
    view = dated(
        view_of(EmbeddingStore.open(Path(chosen.store)), chosen.layer, 1, chosen.position), chosen.date
    )
    taught = teach(view, labels, reduction_of(view.view).basis, chosen.method, file.name)
    written = _write(chosen, taught)
    return _told(chosen, taught, [*notes, *taught.notes, *taught.accuracy.notes]) | written


def _write(chosen: argparse.Namespace, taught: Taught) -> dict[str, Any]:
    from engine.views.maps.overlay import class_overlay, store_tags

    classes = taught.classifier.classes
    class_overlay(
        Path(chosen.out), _pieces(taught), level="patch", names={number: one.name for number, one in enumerate(classes)},
        colours={number: one.rgba for number, one in enumerate(classes)},
        tags=store_tags(taught.view.store, taught.view.view.layer) | taught.view.view.tags,
    )  # fmt: skip
    written = {"out": chosen.out}
    if chosen.raster:
        from engine.learning.clicked.label_raster import write_label_raster

        write_label_raster(Path(chosen.raster), taught.labels, taught.labelled, taught.view)
        written["raster"] = chosen.raster
    if chosen.decoder:
        from engine.learning.clicked.decoder_run import keep_decoder

        written["decoder"] = str(keep_decoder(taught, folder=Path(chosen.decoder)).folder)
    return written


def _pieces(taught: Taught) -> Iterator[tuple[StoredTile, np.ndarray]]:
    from engine.views.maps.overlay import NO_CLASS

    for tile, values, valid in taught.view.tiles():
        called = taught.classifier.predict(values.reshape(tile.rows, -1)).reshape(tile.h, tile.w)
        yield tile, np.where(valid > 0, called, NO_CLASS).astype(np.uint8)


def _told(chosen: argparse.Namespace, taught: Taught, notes: list[str]) -> dict[str, Any]:
    found = taught.accuracy
    share = (
        "none could be judged"
        if found.share is None
        else f"{found.right} of {found.labels} right without their place"
    )
    say(
        f"Wrote {chosen.out} from {len(taught.labels.labels)} labels on {len(taught.labelled.rows)} patches; {share}"
    )
    for note in notes:
        say(note)
    return {
        "store": chosen.store, "method": chosen.method, "layer": taught.view.view.layer, "classes": taught.labels.counts,
        "patches": len(taught.labelled.rows), "notes": notes,
        "accuracy": {
            "right": found.right, "labels": found.labels, "places": found.places, "share": found.share,
            "interval": None if found.low is None else [found.low, found.high], "confusion": found.confusion.tolist(),
        },
    }  # fmt: skip
