"""A trained decoder over a store: a class for every pixel that has data, and the map made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from engine.errors import StoreError
from engine.extraction.pixels.pixel_gaps import pixels_with_data
from engine.labels.build import PixelsWithData
from engine.labels.sidecar import to_pixels
from engine.learning.dataset import Span, read_features, spans_of
from engine.learning.heads import Decoder, build_decoder
from engine.learning.positions import Positions
from engine.learning.result import TrainRun
from engine.learning.tasks.task import MapStyle, Task
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.maps.overlay import class_overlay
from engine.workspace import runs_root

_PATCHES_A_STEP = 65_536
Piece = tuple[StoredTile, np.ndarray]


@dataclass(frozen=True)
class PredictedMap:
    """A map that was written, and what a person should know of it."""

    path: Path
    notes: tuple[str, ...]


def predict_map(run_folder: Path, store_folder: Path, out: Path, root: Path | None = None) -> PredictedMap:
    """Map a store with a trained run: a GeoTIFF with the task's values and colours, without a class in gaps.

    Args:
        root: where runs are kept, among them seasons whose gaps are read again; None: the usual folder.

    Raises:
        JobError: the run is no finished training.
        StoreError: the store is not what the decoder learned to read.
    """
    run, store = TrainRun.open(run_folder), EmbeddingStore.open(store_folder)
    run.decoder.require_fit(store)
    has_data, note = pixels_with_data(store, root or runs_root())
    task = run.task
    pieces = (
        (tile, task.map_values(without_gaps(predicted, tile, task, has_data)))
        for tile, predicted in predict_tiles(run, store)
    )
    positions = _positions(run)
    notes = (note, positions.note(store) if positions else None)
    return PredictedMap(write_map(out, pieces, task.prediction_style), tuple(text for text in notes if text))


def predict_tiles(
    run: TrainRun, store: EmbeddingStore, only: Collection[str] | None = None
) -> Iterator[Piece]:
    """Tiles of a store with what each pixel is, (height_px, width_px) in the terms of labels; missing without data.

    Args:
        only: ids of the tiles wanted; None: all.

    Raises:
        JobError: the run is no finished training.
        StoreError: the store is not what the decoder learned to read.
    """
    card = run.decoder
    card.require_fit(store)
    decoder, task = load_decoder(run), card.taught
    columns = read_features(store, card.layers)
    if positions := _positions(run):
        positions.take_off(store, card.layers, columns)
    features = torch.from_numpy(columns)
    is_valid = store.read_valid_fraction() > 0
    features[torch.from_numpy(~is_valid)] = decoder.mean.to(features.dtype)
    for span in (span for span in spans_of(store) if only is None or span.tile.id in only):
        yield span.tile, _tile_classes(decoder, task, features, is_valid, span)


def _positions(run: TrainRun) -> Positions | None:
    """The means that the decoder was trained without; None where position was kept."""
    return Positions.open(run.positions) if run.decoder.position == "remove" else None


def load_decoder(run: TrainRun) -> Decoder:
    """The decoder of a finished training, on the CPU, for use.

    Raises:
        StoreError: its file is absent, damaged or of another shape.
    """
    card = run.decoder
    blank = torch.zeros(sum(card.dims))
    cpu = torch.device("cpu")
    outputs = card.taught.outputs(card.patch_px)
    decoder = build_decoder(card.head_config, blank, blank + 1, outputs, torch.Generator(), cpu)
    try:
        decoder.load_state_dict(load_file(run.weights))
    except (OSError, SafetensorError, RuntimeError) as err:
        raise StoreError(
            f"The decoder's weights in {run.weights} cannot be used ({str(err).splitlines()[0][:100]}). Train again."
        ) from err
    return decoder.eval()


def write_map(path: Path, pieces: Iterator[Piece], style: MapStyle) -> Path:
    """Write a map with the values, colours and legend of a task.

    Raises:
        StoreError, DiskFull: as `class_overlay`.
    """
    return class_overlay(path, pieces, colours=style.colours, band_name=style.band_name, names=style.names)


def without_gaps(
    predicted: np.ndarray, tile: StoredTile, task: Task, has_data: PixelsWithData | None
) -> np.ndarray:
    """The same map, missing where a pixel has no data."""
    known = None if has_data is None else has_data(tile)
    return predicted if known is None else _where(known, predicted, task)


@torch.no_grad()
def _tile_classes(
    decoder: Decoder, task: Task, features: torch.Tensor, is_valid: np.ndarray, span: Span
) -> np.ndarray:
    rows, tile = features[span.rows], span.tile  # (h * w, D)
    if decoder.sees_neighbours:
        found = task.predict(decoder(rows.view(1, tile.h, tile.w, -1))[0].flatten(0, 1))
    else:
        found = torch.cat([task.predict(decoder(block)) for block in rows.split(_PATCHES_A_STEP)])
    return to_pixels(_where(is_valid[span.rows, None], found.numpy(), task), tile)


def _where(known: np.ndarray, predicted: np.ndarray, task: Task) -> np.ndarray:
    return np.where(known, predicted, predicted.dtype.type(task.label_reading.missing_label))
