"""A trained decoder over a store: a class for every pixel that has data, and the map made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from engine.errors import StoreError
from engine.jobs.configuration.apply import Adapt
from engine.labels.build import PixelsWithData
from engine.labels.patches import to_pixels
from engine.learning.dataset import Span, read_features, require_finite, spans_of
from engine.learning.heads.decoder import Decoder
from engine.learning.heads.table import restore_decoder
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.adaptation import adapted, settled
from engine.learning.positions import POSITION_PREFIX, Positions
from engine.learning.tasks.task import MapStyle, Task
from engine.learning.truth import on_tile
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.maps.overlay import Level, class_overlay, write_mosaic

_PATCHES_A_STEP = 65_536
Piece = tuple[StoredTile, np.ndarray]


@dataclass(frozen=True)
class TileOutputs:
    """What the decoder says of a tile.

    Attributes:
        outputs: (rows, L), L numbers a patch as `task.outputs` counts them.
        is_valid: (rows,) bool, False where a patch has no valid pixel.
    """

    span: Span
    outputs: torch.Tensor
    is_valid: np.ndarray


def predict_tiles(
    run: TrainRun, store: EmbeddingStore, only: Collection[str] | None = None, adapt: Adapt = "none"
) -> Iterator[Piece]:
    """Tiles of a store with what each pixel is, (height_px, width_px) in the terms of labels; missing without data.

    Args:
        only: ids of the tiles wanted; None: all.
        adapt: whether the decoder is adapted to these tiles.

    Raises:
        JobError: the run is no finished training.
        StoreError: the store is not what the decoder learned to read, holds embeddings that are not finite, or has too few
            patches to adapt to.
    """
    task = run.decoder.taught
    for found in tile_outputs(run, store, only, adapt):
        yield found.span.tile, classes_of(found, task)


def classes_of(found: TileOutputs, task: Task) -> np.ndarray:
    """What each pixel of a tile is, (height_px, width_px) in the terms of labels; missing without data."""
    classes = _where(found.is_valid[:, None], task.predict(found.outputs).numpy(), task)
    return on_tile(classes, found.span.tile, task.is_per_tile)


def tile_outputs(
    run: TrainRun, store: EmbeddingStore, only: Collection[str] | None = None, adapt: Adapt = "none"
) -> Iterator[TileOutputs]:
    """The decoder's outputs tile by tile, in the order of the store.

    Args:
        only: ids of the tiles wanted; None: all.
        adapt: whether the decoder is adapted to these tiles.

    Raises:
        JobError: the run is no finished training.
        StoreError: the store is not what the decoder learned to read, holds embeddings that are not finite, or has too few
            patches to adapt to.
    """
    card = run.decoder
    card.require_fit(store)
    decoder = load_decoder(run)
    columns = read_features(store, card.layers)
    if positions := _positions(run):
        positions.take_off(store, card.layers, columns)
    is_valid = store.read_valid_fraction() > 0
    chosen = [span for span in spans_of(store) if only is None or span.tile.id in only]
    require_finite(store, chosen, columns, is_valid)
    adapt = settled(adapt, [card], store, only)
    if adapt != "none":
        decoder = adapted(decoder, columns, is_valid, store, only, adapt)
    features = torch.from_numpy(columns)
    features[torch.from_numpy(~is_valid)] = decoder.mean.to(features.dtype)
    for span in chosen:
        yield TileOutputs(span, _outputs(decoder, features[span.rows], span), is_valid[span.rows])


def note_of(run: TrainRun, store: EmbeddingStore) -> str:
    """What a person should know of a decoder on a store; empty where there is nothing."""
    positions = _positions(run)
    return (positions.note(store) or "") if positions else ""


def _positions(run: TrainRun) -> Positions | None:
    """The means that the decoder was trained without; None where position was kept."""
    return Positions.open(run.positions) if run.decoder.position == "remove" else None


def load_decoder(run: TrainRun) -> Decoder:
    """The decoder of a finished training, on the CPU, for use.

    Raises:
        StoreError: its file is absent, damaged or of another shape.
    """
    card = run.decoder
    try:
        state = load_file(run.weights)
        own = {name: value for name, value in state.items() if not name.startswith(POSITION_PREFIX)}
        return restore_decoder(card.head_config, card.shape, own)
    except (OSError, SafetensorError, RuntimeError, KeyError) as err:
        raise StoreError(
            f"The decoder's weights in {run.weights} cannot be used ({str(err).splitlines()[0][:100]}). Train again."
        ) from err


def write_map(
    path: Path, pieces: Iterator[Piece], task: Task, style: MapStyle, tags: Mapping[str, str]
) -> Path:
    """Write a map with the values, colours and legend of a task.

    Args:
        tags: of the ground and of the decoder.

    Raises:
        StoreError, DiskFull: as `class_overlay`.
    """
    if task.is_per_tile:
        pieces = ((tile, spread_on_tile(found.reshape(1, -1), tile, True)) for tile, found in pieces)
    level: Level = "pixel"
    if style.ramp is not None:
        tags = {"EMBERSCOPE_QUANTITY": style.ramp.title, **tags}
        return write_mosaic(
            path,
            pieces,
            level=level,
            nodata=style.nodata,
            dtype="float32",
            tags=tags,
            band_names=(style.band_name,),
        )
    return class_overlay(
        path, pieces, colours=style.colours, band_name=style.band_name, names=style.names, level=level, tags=tags
    )  # fmt: skip


def spread_on_tile(rows: np.ndarray, tile: StoredTile, is_per_tile: bool) -> np.ndarray:
    """One value of each pixel of a tile, (height_px, width_px), from the rows of the tile.

    A tile with one value for all has it on each of its pixels: cells as large as a tile would be moved, for chips lie on
    no common grid of that size.

    Args:
        rows: (rows, L) as labels lie in a row; (1, 1) where a tile has one value.
    """
    if is_per_tile:
        return np.full((tile.height_px, tile.width_px), rows[0, 0])
    return to_pixels(rows, tile)


def without_gaps(
    predicted: np.ndarray, tile: StoredTile, task: Task, has_data: PixelsWithData | None
) -> np.ndarray:
    """The same map, missing where a pixel has no data; a task with one label a tile has no pixels."""
    known = None if has_data is None or task.is_per_tile else has_data(tile)
    return predicted if known is None else _where(known, predicted, task)


@torch.no_grad()
def _outputs(decoder: Decoder, rows: torch.Tensor, span: Span) -> torch.Tensor:
    """Outputs of the rows of a tile, (h * w, D) to (h * w, L)."""
    if decoder.sees_neighbours:
        return decoder(rows.view(1, span.tile.h, span.tile.w, -1))[0].flatten(0, 1)
    return torch.cat([decoder(block) for block in rows.split(_PATCHES_A_STEP)])


def _where(known: np.ndarray, predicted: np.ndarray, task: Task) -> np.ndarray:
    return np.where(known, predicted, predicted.dtype.type(task.label_reading.missing_label))
